//! 50,000 records that a stock external-dns keeps through our webhook server in front of a real
//! Knot, while the server is killed again and again.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::process::Command;
use std::time::{Duration, Instant};

use devcluster::Progress;
use devcluster::primary::{Make, Primary, SECRET};
use hickory_proto::rr::RecordType;
use records::provider::rfc2136::{Rfc2136, Settings};
use records::{Name, Provider as _, Zone, ZoneId};
use serde_json::Value;
use tempfile::TempDir;
use tests::program;

use super::external_dns::{ExternalDns, once};
use super::program::Program;
use super::wanted::{Wanted, endpoint};
use crate::dns_client::DnsClient;
use crate::records::rfc2136::settings;

const ZONE: &str = "example.com";
/// DNSEndpoints, and the names that each wants.
const OBJECTS: usize = 100;
const EACH: usize = 500;
/// How long external-dns may take until the zone is as wanted: far longer than it ever did.
const PATIENCE: Duration = Duration::from_mins(20);
/// How long the server may write before it is killed, one after the other.
const WRITING: [Duration; 4] = [
    Duration::from_millis(100),
    Duration::from_millis(2500),
    Duration::from_millis(600),
    Duration::from_secs(6),
];

/// How far what is wanted has come.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Edition {
    /// An address for each name.
    Created,
    /// Some names get another address, some an alias.
    Updated,
    /// Some names go.
    Deleted,
}

/// The name of a DNSEndpoint.
fn object(number: usize) -> String {
    format!("o{number:02}")
}

/// What a DNSEndpoint wants: name, type and target.
fn endpoints(edition: Edition, number: usize) -> Vec<(String, &'static str, String)> {
    let is_updated = edition >= Edition::Updated;
    let endpoint = |place: usize| {
        let name = format!("h{place:03}.{}.{ZONE}", object(number));
        let address = |network| format!("10.{}.{number}.{}", network + place / 256, place % 256);
        match number {
            0..8 if is_updated => (name, "A", address(100)),
            8..10 if is_updated => (name, "CNAME", format!("h000.o50.{ZONE}")),
            _ => (name, "A", address(0)),
        }
    };
    let has_gone = edition == Edition::Deleted && (40..50).contains(&number);
    let count = if has_gone { 0 } else { EACH };
    (0..count).map(endpoint).collect()
}

/// The records of an edition with those that tell who owns them, as lines.
fn records(edition: Edition) -> BTreeSet<String> {
    let mut records = BTreeSet::new();
    for number in 0..OBJECTS {
        for (name, record_type, target) in endpoints(edition, number) {
            let owner = format!(
                "heritage=external-dns,external-dns/owner=test,external-dns/resource=crd/default/{}",
                object(number)
            );
            let kind = record_type.to_lowercase();
            records.insert(format!("{kind}-{name} TXT \"{owner}\""));
            records.insert(format!("{name} {record_type} {target}"));
        }
    }
    records
}

/// Lines of the zone file that are nobody's business: records of people and of another owner.
fn foreign() -> String {
    let line = |number: usize| match number % 4 {
        0 => format!("p{number} A 198.51.100.{number}\n"),
        1 => format!("p{number} TXT \"of people\"\n"),
        2 => format!("p{number} CNAME www.example.org.\n"),
        _ => format!(
            "h{number:03}.other A 198.51.100.{number}\n\
             a-h{number:03}.other TXT \"heritage=external-dns,external-dns/owner=other\"\n"
        ),
    };
    (0..200).map(line).collect()
}

struct Stage {
    wanted: Wanted,
    folder: TempDir,
    primary: Primary,
    /// Where external-dns looks for our server.
    address: SocketAddr,
    progress: Progress,
    /// What the zone had before.
    foreign: BTreeSet<String>,
}

impl Stage {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listen = Program::free_address();
        let zones = [(ZONE, foreign())];
        let primary = Primary::start(Make::Knot, folder.path(), listen, &zones, None);
        let primary = primary.await.unwrap();
        let mut stage = Self {
            wanted: Wanted::start().await,
            primary,
            address: Program::free_address(),
            folder,
            progress: Progress::shown(),
            foreign: BTreeSet::new(),
        };
        stage.foreign = stage.zone().await;
        stage
    }

    async fn want(&self, edition: Edition) {
        for number in 0..OBJECTS {
            let wanted = endpoints(edition, number).into_iter();
            let wanted = wanted.map(|(name, record_type, target)| endpoint(&name, record_type, &[&target]));
            self.wanted.want(&object(number), Value::from_iter(wanted)).await;
        }
    }

    /// The record sets that the server has, as lines; none is there twice.
    async fn zone(&self) -> BTreeSet<String> {
        let name = Name::parse(ZONE).unwrap();
        let settings = Settings {
            zones: vec![name.clone()],
            ..settings(self.primary.listen())
        };
        let id = ZoneId(ZONE.into());
        let read = Rfc2136::new(&settings).unwrap();
        let read = read.read(&Zone { id, name }).await.unwrap().records;
        let line = |record: &records::Endpoint| {
            format!(
                "{} {} {}",
                record.dns_name,
                record.record_type,
                record.targets.join(" ")
            )
        };
        let lines: BTreeSet<String> = read.iter().map(|record| line(record)).collect();
        assert_eq!(lines.len(), read.len());
        lines
    }

    async fn serial(&self) -> u32 {
        let answer = DnsClient(self.primary.listen()).ask(ZONE, RecordType::SOA);
        answer.await.unwrap().serial.unwrap()
    }

    async fn server(&self) -> Program {
        let mut command = Command::new(program::path().unwrap());
        let primary = self.primary.listen();
        command
            .args(["records", "webhook", "--provider=rfc2136"])
            .args(["--rfc2136-host", &primary.ip().to_string()])
            .args(["--rfc2136-port", &primary.port().to_string()])
            .args(["--rfc2136-zone", ZONE, "--rfc2136-tsig-keyname=hmac-sha256"])
            .args([
                "--rfc2136-tsig-secret-alg=hmac-sha256",
                "--rfc2136-tsig-secret",
                SECRET,
            ])
            .args(["--provider-cache-time=10m", "--provider-cache-patch-on-apply"])
            .arg("--record-cache-dir")
            .arg(self.folder.path().join("cache"));
        Program::start(command, self.address, &self.folder.path().join("server")).await
    }

    fn external_dns(&self, server: &Program) -> ExternalDns {
        self.wanted.keep(&server.url(), &["--policy=sync"])
    }

    /// Lets external-dns work until the zone is as an edition wants it, and kills the server
    /// meanwhile, each time when it has begun to write. external-dns ends then, as it does, and
    /// is started again, as Kubernetes does.
    async fn becomes(&self, edition: Edition) {
        let mut wanted = records(edition);
        wanted.extend(self.foreign.iter().cloned());
        let begun = Instant::now();
        let mut server = self.server().await;
        let mut external_dns = self.external_dns(&server);
        let (mut kills, mut restarts) = (WRITING.iter(), 0);
        let mut kill_after = kills.next();
        let (mut seen, mut since) = (self.serial().await, Instant::now());
        loop {
            tokio::time::sleep(Duration::from_millis(100)).await;
            assert!(begun.elapsed() < PATIENCE, "not within {PATIENCE:?}");
            server.check();
            if let Err(ended) = external_dns.check() {
                restarts += 1;
                self.progress.say(format!("external-dns {ended:#}"));
                external_dns = self.external_dns(&server);
            }
            let serial = self.serial().await;
            if let Some(writing) = kill_after.filter(|_| serial != seen) {
                tokio::time::sleep(*writing).await;
                server.kill();
                kill_after = kills.next();
                self.progress.say("killed the server");
                server = self.server().await;
                (seen, since) = (self.serial().await, Instant::now());
            } else if serial != seen {
                (seen, since) = (serial, Instant::now());
            } else if since.elapsed() > Duration::from_secs(3) {
                since = Instant::now();
                let zone = self.zone().await;
                let (missing, surplus) = (wanted.difference(&zone), zone.difference(&wanted));
                let (missing, surplus) = (missing.count(), surplus.count());
                self.progress
                    .say(format!("{missing} records are missing, {surplus} too many"));
                if (missing, surplus) == (0, 0) {
                    break;
                }
            }
        }
        self.progress.say(format!(
            "as wanted after {:.0} s; external-dns was started again {restarts} times",
            begun.elapsed().as_secs_f64()
        ));
        assert!(
            kills.len() < WRITING.len() - 1,
            "the server was killed while it wrote"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_loses_nothing_of_50_000_records() {
    let stage = Stage::start().await;
    for edition in [Edition::Created, Edition::Updated, Edition::Deleted] {
        stage.want(edition).await;
        stage.becomes(edition).await;
    }
    // Back once more, with all that it knew.
    let before = stage.serial().await;
    let server = stage.server().await;
    let [source, owner, cluster] = &stage.wanted.source();
    once(&server.url(), &[source, owner, cluster, "--policy=sync"])
        .await
        .unwrap();
    assert_eq!((server.reads(), stage.serial().await), (0, before));
}
