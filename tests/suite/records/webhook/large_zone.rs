//! 50,000 records that a stock external-dns keeps through our webhook server in front of a real
//! Knot, while the server is killed again and again.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use devcluster::Progress;
use serde_json::Value;

use super::external_dns::{ExternalDns, once};
use super::knot::{Knot, ZONE};
use super::program::Program;
use super::wanted::{Wanted, endpoint};

/// DNSEndpoints, and the names that each wants.
const OBJECTS: usize = 100;
const EACH: usize = 500;
/// How long external-dns may take until the zone is as wanted: far longer than it ever did.
const PATIENCE: Duration = Duration::from_secs(20 * 60);
/// How long the server has been writing when it is killed, one time after the other.
const WRITING: [Duration; 3] = [
    Duration::from_millis(100),
    Duration::from_millis(2500),
    Duration::from_millis(600),
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

impl Edition {
    /// When the server is killed: what is a tenth of the work is done sooner.
    fn kills(self) -> &'static [Duration] {
        match self {
            Self::Created => &WRITING,
            Self::Updated | Self::Deleted => &WRITING[..2],
        }
    }
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
    knot: Knot,
    progress: Progress,
    /// What the zone had before.
    foreign: BTreeSet<String>,
}

impl Stage {
    async fn start() -> Self {
        let knot = Knot::start(foreign()).await;
        Self {
            wanted: Wanted::start().await,
            foreign: knot.records().await,
            knot,
            progress: Progress::shown(),
        }
    }

    async fn want(&self, edition: Edition) {
        for number in 0..OBJECTS {
            let wanted = endpoints(edition, number).into_iter();
            let wanted = wanted.map(|(name, record_type, target)| endpoint(&name, record_type, &[&target]));
            self.wanted.want(&object(number), wanted.collect::<Value>()).await;
        }
    }

    fn external_dns(&self, server: &Program) -> ExternalDns {
        self.wanted.keep(&server.url(), &["--policy=sync"])
    }

    /// Whether the zone is as it is wanted, and has what others wrote.
    async fn is(&self, edition: Edition) -> bool {
        let mut wanted = records(edition);
        wanted.extend(self.foreign.iter().cloned());
        let zone = self.knot.records().await;
        let (missing, surplus) = (wanted.difference(&zone), zone.difference(&wanted));
        let (missing, surplus) = (missing.count(), surplus.count());
        self.progress
            .say(format!("{missing} records are missing, {surplus} too many"));
        (missing, surplus) == (0, 0)
    }

    /// Lets external-dns work until the zone is as an edition wants it, and kills the server
    /// meanwhile, each time when it has begun to write. external-dns ends then, as it does, and
    /// is started again, as Kubernetes does.
    async fn becomes(&self, edition: Edition) {
        let begun = Instant::now();
        let mut server = self.knot.server().await;
        let mut external_dns = self.external_dns(&server);
        let (mut kills, mut restarts) = (edition.kills().iter(), 0);
        let (mut seen, mut since) = (self.knot.serial().await, begun);
        let mut kill_after = kills.next();
        loop {
            tokio::time::sleep(Duration::from_millis(100)).await;
            assert!(begun.elapsed() < PATIENCE, "not within {PATIENCE:?}");
            server.check();
            if let Err(ended) = external_dns.check() {
                restarts += 1;
                let why = ended.to_string();
                self.progress.say(why.lines().last().unwrap_or_default());
                external_dns = self.external_dns(&server);
            }
            let serial = self.knot.serial().await;
            if serial != seen {
                (seen, since) = (serial, Instant::now());
                if let Some(writing) = kill_after {
                    tokio::time::sleep(*writing).await;
                    server.kill();
                    self.progress.say("killed the server");
                    server = self.knot.server().await;
                    (seen, since) = (self.knot.serial().await, Instant::now());
                    kill_after = kills.next();
                }
            } else if since.elapsed() > Duration::from_secs(3) {
                if self.is(edition).await {
                    break;
                }
                since = Instant::now();
            }
        }
        let took = begun.elapsed().as_secs();
        let killed = edition.kills().len() - kills.len() - usize::from(kill_after.is_some());
        self.progress.say(format!(
            "as wanted after {took} s; killed {killed} times, external-dns started again {restarts} times"
        ));
        assert!(killed > 0, "the server is killed while it writes");
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
    let before = stage.knot.serial().await;
    let server = stage.knot.server().await;
    let [source, owner, cluster] = &stage.wanted.source();
    let arguments = [source, owner, cluster, "--policy=sync"];
    // On a busy machine the zone may be back only when external-dns has given up once.
    while let Err(error) = once(&server.url(), &arguments).await {
        assert!(error.to_string().contains("code 503"), "{error}");
        stage.progress.say("external-dns comes again");
    }
    assert_eq!((server.reads(), stage.knot.serial().await), (0, before));
}
