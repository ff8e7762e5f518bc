//! A Knot, a central server's files, and clients of it.

use std::collections::BTreeMap;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use devcluster::certificates::{Authority, Pair};
use devcluster::control_plane::free_port;
use devcluster::primary::{Make, Primary, SECRET};
use records::provider::rfc2136::{Rfc2136, Settings};
use records::{Change, Endpoint, Group, Name, Provider as _, RecordType, Zone, ZoneId};
use remote::client::{Access, connect};
use remote::protocol::v2::read_zone_response::{Header, Piece};
use remote::protocol::v2::zone_service_client::ZoneServiceClient;
use remote::protocol::v2::{ApplyRequest, ListZonesRequest, ReadZoneRequest};
use remote::protocol::{v2, zones};
use serde_json::{Value, json};
use tempfile::TempDir;
use tonic::transport::Channel;
use tonic::{Code, Status};

use super::super::daemon::Daemon;
use super::super::rfc2136::settings;
use crate::control_plane::eventually;

pub const ZONE: &str = "example.com";
/// What the annotation is called.
pub const REMOTE: &str = "dns.gardener.cloud/remote-access";

/// All but the program.
pub struct Stage {
    pub folder: TempDir,
    pub primary: Primary,
    pub servers: Authority,
    pub clients: Authority,
}

impl Stage {
    /// With lines in the zone.
    pub async fn start(lines: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = folder.path().join("primary");
        fs::create_dir_all(&server).unwrap();
        let listen = (Ipv4Addr::LOCALHOST, free_port().unwrap()).into();
        let zones = [(ZONE, lines.to_owned())];
        let primary = Primary::start(Make::Knot, &server, listen, &zones, None)
            .await
            .unwrap();
        let stage = Self {
            folder,
            primary,
            servers: Authority::new().unwrap(),
            clients: Authority::new().unwrap(),
        };
        fs::create_dir_all(stage.tls_dir()).unwrap();
        stage.certify(&stage.servers);
        stage
    }

    pub fn tls_dir(&self) -> PathBuf {
        self.folder.path().join("tls")
    }

    /// Gives the server a certificate of an authority.
    pub fn certify(&self, authority: &Authority) {
        let pair = authority.server(&["127.0.0.1"]).unwrap();
        pair.write(&self.tls_dir(), "tls").unwrap();
        fs::write(self.tls_dir().join("ca.crt"), self.clients.certificate()).unwrap();
    }

    /// A file of the stage with objects.
    pub fn write(&self, name: &str, objects: &[Value]) -> PathBuf {
        let path = self.folder.path().join(name);
        let documents: Vec<String> = objects.iter().map(ToString::to_string).collect();
        fs::write(&path, documents.join("\n---\n")).unwrap();
        path
    }

    /// The Secret of the Knot, in a namespace.
    pub fn secret(&self, namespace: &str) -> Value {
        json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": { "namespace": namespace, "name": "knot" },
            "stringData": {
                "Server": self.primary.listen().to_string(), "Zone": format!("{ZONE}."),
                "TSIGKeyName": "hmac-sha256.", "TSIGSecret": SECRET,
            },
        })
    }

    /// Arguments of the command that every server has: an address, and a folder for its cache.
    pub fn arguments(&self, address: SocketAddr, cache: &str) -> Vec<String> {
        vec![
            "serve".to_owned(),
            format!("--address={address}"),
            format!("--tls-dir={}", self.tls_dir().display()),
            format!("--record-cache-dir={}", self.folder.path().join(cache).display()),
        ]
    }

    /// Starts a server of files, and waits until it leads.
    pub async fn serve(&self, address: SocketAddr, providers: &[PathBuf]) -> Daemon {
        let mut arguments = self.arguments(address, "cache");
        arguments.extend(
            providers
                .iter()
                .map(|file| format!("--providers={}", file.display())),
        );
        let daemon = Daemon::start(self.folder.path(), "serve", &arguments).await;
        leads(&daemon).await;
        daemon
    }

    /// A client with a certificate for a namespace.
    pub fn client(&self, address: SocketAddr, namespace: &str) -> Client {
        let pair = self.clients.client(namespace, "clients").unwrap();
        Client::new(address, namespace, &pair, self.servers.certificate())
    }

    /// The record sets that the Knot has.
    async fn records(&self) -> Vec<Endpoint> {
        let name = Name::parse(ZONE).unwrap();
        let settings = Settings {
            zones: vec![name.clone()],
            ..settings(self.primary.listen())
        };
        let id = ZoneId(ZONE.into());
        let read = Rfc2136::new(&settings).unwrap();
        let records = read.read(&Zone { id, name }).await.unwrap().records;
        records.iter().collect()
    }

    /// The names of the addresses that the Knot has, but for its own, sorted.
    pub async fn names(&self) -> Vec<String> {
        let records = self.records().await.into_iter();
        let records = records.filter(|record| record.record_type == RecordType::A);
        let names = records.filter_map(|record| {
            let name = record.dns_name.strip_suffix(ZONE)?.strip_suffix('.')?.to_owned();
            (name != "ns").then_some(name)
        });
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }
}

/// An address of this machine.
pub fn address() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, free_port().unwrap()).into()
}

/// A DNSProvider of the Knot that other clusters may use, named `knot` too.
pub fn provider(namespace: &str) -> Value {
    json!({
        "apiVersion": "dns.gardener.cloud/v1alpha1", "kind": "DNSProvider",
        "metadata": { "namespace": namespace, "name": "knot", "annotations": { REMOTE: "true" } },
        "spec": { "type": "rfc2136", "secretRef": { "name": "knot" } },
    })
}

/// Waits until a server leads, and serves.
pub async fn leads(daemon: &Daemon) {
    let leading = (200, "this server is leading".to_owned());
    eventually("it leads", async || readiness(daemon).await == leading).await;
}

/// What a server says of its readiness.
pub async fn readiness(daemon: &Daemon) -> (u16, String) {
    let answer = daemon.get("/readyz").await.unwrap();
    (answer.status, answer.body)
}

/// A client of our protocol.
pub struct Client {
    service: ZoneServiceClient<Channel>,
    namespace: String,
}

impl Client {
    pub fn new(address: SocketAddr, namespace: &str, pair: &Pair, authority: &str) -> Self {
        let address = address.to_string();
        let values = [
            ("REMOTE_ENDPOINT", &*address),
            ("NAMESPACE", namespace),
            ("CLIENT_CERT", &pair.certificate),
            ("CLIENT_KEY", &pair.key),
            ("SERVER_CA_CERT", authority),
        ];
        let values = values.map(|(key, value)| (key.to_owned(), value.as_bytes().to_vec()));
        let secret: BTreeMap<String, Vec<u8>> = values.into();
        Self {
            service: ZoneServiceClient::new(connect(&Access::from_secret(&secret).unwrap())),
            namespace: namespace.to_owned(),
        }
    }

    /// The names of its zones.
    pub async fn zones(&mut self) -> Result<Vec<String>, Status> {
        let request = ListZonesRequest {
            namespace: self.namespace.clone(),
        };
        let zones = self.service.list_zones(request).await?.into_inner().zones;
        Ok(zones.into_iter().map(|zone| zone.name).collect())
    }

    /// The error code of that; none if there is none.
    pub async fn refusal(&mut self) -> Option<Code> {
        self.zones().await.err().map(|status| status.code())
    }

    /// Reads the zone: what is told of it, and what has changed since a revision.
    pub async fn read(&mut self, known: &[u8]) -> Result<(Header, Vec<Endpoint>), Status> {
        let request = ReadZoneRequest {
            namespace: self.namespace.clone(),
            zone_id: ZONE.to_owned(),
            known_revision: known.to_vec(),
            ..ReadZoneRequest::default()
        };
        let mut stream = self.service.read_zone(request).await?.into_inner();
        let (mut header, mut records) = (None, Vec::new());
        while let Some(message) = stream.message().await? {
            match message.piece.unwrap() {
                Piece::Header(told) => header = Some(told),
                Piece::RecordSets(sets) => records.extend(sets.record_sets.into_iter().map(zones::endpoint)),
            }
        }
        Ok((header.unwrap(), records))
    }

    /// Makes records; what came of each, in a word.
    pub async fn create(&mut self, names: &[String]) -> Result<Vec<&'static str>, Status> {
        let groups = names.iter().map(|name| {
            let record = Endpoint {
                dns_name: format!("{name}.{ZONE}").into(),
                targets: ["192.0.2.1".into()].into(),
                ..Endpoint::default()
            };
            zones::group_message(&Group {
                name: record.name().unwrap(),
                changes: vec![Change::Create(record)],
            })
        });
        let request = ApplyRequest {
            namespace: self.namespace.clone(),
            zone_id: ZONE.to_owned(),
            groups: groups.collect(),
        };
        let response = self.service.apply(request).await?.into_inner();
        Ok(words(&response))
    }
}

fn words(response: &v2::ApplyResponse) -> Vec<&'static str> {
    use v2::outcome::Outcome;
    let outcomes = response.outcomes.iter();
    outcomes
        .map(|outcome| match outcome.outcome.as_ref().unwrap() {
            Outcome::Applied(_) => "applied",
            Outcome::Rejected(_) => "rejected",
            Outcome::Conflict(_) => "conflict",
            Outcome::Postponed(_) => "postponed",
            Outcome::Unknown(_) => "unknown",
        })
        .collect()
}
