//! Zones on real servers that take dynamic updates.

mod confirmations;
mod failures;
mod keys;
mod lookups;
pub mod proxy;
mod round_trips;
mod swaps;
mod tls;
mod updates;

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::time::Duration;

use devcluster::control_plane::free_port;
use devcluster::primary::{ALGORITHMS, Make, Primary, SECRET};
use records::provider::rfc2136::{LoadBalancing, Rfc2136, Secret, Settings, TsigKey};
use records::{Change, Endpoint, Group, Name, Outcome, Provider as _, RecordType, Zone, ZoneId, ZoneRecords};
use tempfile::TempDir;

const ZONE: &str = "example.test";
const MAKES: [Make; 2] = [Make::Knot, Make::Bind];

/// A server with one zone.
struct Server {
    folder: TempDir,
    primary: Primary,
}

impl Server {
    /// Starts one whose zone has those lines besides an SOA record and a name server.
    async fn start(make: Make, lines: &str) -> Self {
        Self::at(make, (Ipv4Addr::LOCALHOST, free_port().unwrap()).into(), lines).await
    }

    async fn at(make: Make, listen: SocketAddr, lines: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path()).unwrap();
        let zones = [(ZONE, lines.to_owned())];
        let primary = Primary::start(make, folder.path(), listen, &zones, None)
            .await
            .unwrap();
        Self { folder, primary }
    }

    fn settings(&self) -> Settings {
        settings(self.primary.listen())
    }

    fn provider(&self) -> Rfc2136 {
        Rfc2136::new(&self.settings()).unwrap()
    }
}

pub fn settings(server: SocketAddr) -> Settings {
    Settings {
        hosts: vec![server.ip().to_string()],
        port: server.port(),
        zones: vec![name(ZONE)],
        key: Some(TsigKey {
            name: name("hmac-sha256"),
            secret: Secret::from_base64(SECRET).unwrap(),
            algorithm: "hmac-sha256".parse().unwrap(),
        }),
        min_ttl: 0,
        tls: None,
        load_balancing: LoadBalancing::Disabled,
        timeout: Duration::from_secs(10),
    }
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn zone() -> Zone {
    Zone {
        id: ZoneId(ZONE.into()),
        name: name(ZONE),
    }
}

/// A record set with a TTL of 300 s. The name is below the zone if it has no dot.
fn set(owner: &str, record_type: &str, targets: &[&str]) -> Endpoint {
    let owner = if owner.contains('.') {
        owner.to_owned()
    } else {
        format!("{owner}.{ZONE}")
    };
    Endpoint {
        dns_name: owner.into(),
        record_type: RecordType::from(record_type),
        targets: targets.iter().map(|target| Box::from(*target)).collect(),
        ttl: NonZeroU32::new(300),
        ..Endpoint::default()
    }
}

fn group(changes: &[Change]) -> Group {
    let first = changes[0].after().or(changes[0].before()).unwrap();
    Group {
        name: first.name().unwrap(),
        changes: changes.to_vec(),
    }
}

fn create(endpoint: &Endpoint) -> Change {
    Change::Create(endpoint.clone())
}

fn delete(endpoint: &Endpoint) -> Change {
    Change::Delete(endpoint.clone())
}

fn update(old: &Endpoint, new: &Endpoint) -> Change {
    Change::Update {
        old: old.clone(),
        new: new.clone(),
    }
}

async fn read(provider: &Rfc2136) -> ZoneRecords {
    provider.read(&zone()).await.unwrap()
}

/// What the zone has besides what it began with, by name and type.
async fn listed(provider: &Rfc2136) -> Vec<Endpoint> {
    let records = read(provider).await.records;
    let mut listed: Vec<Endpoint> = records
        .iter()
        .filter(|endpoint| ![ZONE, "ns.example.test"].contains(&&*endpoint.dns_name))
        .collect();
    sort(&mut listed);
    listed
}

fn sort(endpoints: &mut [Endpoint]) {
    endpoints.sort_by_key(|endpoint| (endpoint.dns_name.clone(), endpoint.record_type.clone()));
}

/// Makes changes as one group.
async fn apply(provider: &Rfc2136, changes: &[Change]) -> Outcome {
    let mut outcomes = provider.apply(&zone(), &[group(changes)]).await;
    assert_eq!(outcomes.len(), 1);
    outcomes.remove(0)
}

async fn applied(provider: &Rfc2136, changes: &[Change]) {
    let outcome = apply(provider, changes).await;
    assert!(matches!(outcome, Outcome::Applied { .. }), "{outcome:?}");
}

#[tokio::test]
async fn every_algorithm_of_signatures_works() {
    for make in MAKES {
        let server = Server::start(make, "").await;
        for algorithm in ALGORITHMS {
            let mut settings = server.settings();
            let key = settings.key.as_mut().unwrap();
            key.name = name(algorithm);
            key.algorithm = algorithm.parse().unwrap();
            let provider = Rfc2136::new(&settings).unwrap();
            applied(&provider, &[create(&set(algorithm, "A", &["192.0.2.1"]))]).await;
            let targets = listed(&provider).await;
            assert!(
                targets
                    .iter()
                    .any(|endpoint| endpoint.dns_name.starts_with(algorithm)),
                "{make:?}: {targets:?}"
            );
        }
    }
}
