//! The guide `docs/external-records.md`, followed to the letter on a real Knot with a stock
//! external-dns.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, Output};

use devcluster::Lifetime;
use devcluster::children::{Launcher, Process};
use devcluster::control_plane::free_port;
use devcluster::primary::{Make, Primary, SECRET};
use records::provider::rfc2136::{Rfc2136, Settings};
use records::{Endpoint, Name, Provider as _, RecordType, Zone, ZoneId};
use tempfile::TempDir;
use tests::program;

use super::rfc2136::settings;
use super::webhook::external_dns::once;
use crate::control_plane::eventually;

/// The zone of the guide.
const ZONE: &str = "example.com";

/// The blocks of code of the guide that begin with some words, without their indentation.
fn blocks(beginning: &str) -> Vec<String> {
    let guide = fs::read_to_string(program::workspace().join("docs/external-records.md")).unwrap();
    let blocks = guide.split("```").skip(1).step_by(2);
    let blocks = blocks.map(|block| block.split_once('\n').unwrap().1.to_owned());
    let found: Vec<String> = blocks
        .filter(|block| block.trim_start().starts_with(beginning))
        .collect();
    assert!(!found.is_empty(), "the guide has {beginning:?}");
    found
}

/// The arguments of the guide's command that begins with some words.
fn arguments(beginning: &str) -> Vec<String> {
    let block = blocks(beginning).remove(0).replace('\\', " ");
    let words = block.split_whitespace().skip(1).filter(|word| *word != "…");
    words.map(str::to_owned).collect()
}

/// A place where the guide is followed.
struct Reader {
    folder: TempDir,
    primary: Primary,
}

impl Reader {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listen: SocketAddr = (Ipv4Addr::LOCALHOST, free_port().unwrap()).into();
        let server = folder.path().join("server");
        fs::create_dir_all(&server).unwrap();
        let zones = [(ZONE, String::new())];
        let primary = Primary::start(Make::Knot, &server, listen, &zones, None)
            .await
            .unwrap();
        Self { folder, primary }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The guide's command with this server, its key, and folders of this test.
    fn command(&self, beginning: &str) -> Command {
        let mut command = Command::new(program::path().unwrap());
        command.current_dir(self.path());
        for argument in arguments(beginning) {
            command.arg(match argument.as_str() {
                "5353" => self.primary.listen().port().to_string(),
                "external-dns" => "hmac-sha256".into(),
                "\"$TSIG_SECRET\"" => SECRET.into(),
                "/var/lib/dns-operator" => self.path().join("cache").display().to_string(),
                _ => argument,
            });
        }
        command
    }

    /// The rest of the guide's "with the same flags".
    fn planned(&self, verb: &str) -> Output {
        let mut command = self.command("dns-operator records plan");
        let mut arguments: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
        arguments[1] = verb.into();
        command = Command::new(program::path().unwrap());
        command.current_dir(self.path()).args(arguments);
        command.args([
            "--rfc2136-tsig-keyname",
            "hmac-sha256",
            "--rfc2136-tsig-secret",
            SECRET,
        ]);
        command.output().unwrap()
    }

    /// The record sets with addresses that the server has.
    async fn records(&self) -> Vec<Endpoint> {
        let name = Name::parse(ZONE).unwrap();
        let settings = Settings {
            zones: vec![name.clone()],
            ..settings(self.primary.listen())
        };
        let zone = Zone {
            id: ZoneId(ZONE.into()),
            name,
        };
        let provider = Rfc2136::new(&settings).unwrap();
        let records = provider.read(&zone).await.unwrap().records;
        let addresses = records
            .iter()
            .filter(|record| record.record_type == RecordType::A);
        addresses.map(|record| Endpoint::clone(record)).collect()
    }

    async fn addresses(&self, name: &str) -> Vec<String> {
        let records = self.records().await.into_iter();
        let records = records.filter(|record| &*record.dns_name == name);
        records
            .flat_map(|record| record.targets)
            .map(String::from)
            .collect()
    }

    /// The names that have addresses, but for that of the server.
    async fn names(&self) -> BTreeSet<String> {
        let records = self.records().await.into_iter();
        let names = records.map(|record| String::from(record.dns_name));
        names.filter(|name| !name.starts_with("ns.")).collect()
    }
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[tokio::test]
async fn a_plan_comes_before_anything_is_written() {
    let reader = Reader::start().await;
    let records = blocks("endpoints:").remove(0);
    fs::write(reader.path().join("records.yaml"), &records).unwrap();
    let planned = reader.planned("plan");
    assert_eq!(planned.status.code(), Some(1), "{}", text(&planned));
    assert!(
        text(&planned).contains("  + www.example.com A 300 192.0.2.1\n"),
        "{}",
        text(&planned)
    );
    assert!(reader.addresses("www.example.com").await.is_empty());
    let applied = reader.planned("apply");
    assert_eq!(applied.status.code(), Some(0), "{}", text(&applied));
    assert_eq!(reader.addresses("www.example.com").await, ["192.0.2.1"]);
    let planned = reader.planned("plan");
    assert_eq!(planned.status.code(), Some(0), "{}", text(&planned));
    // A malformed endpoint is told with its place, and keeps nothing back.
    let broken = format!("{records}- dnsName: bad.example.com\n  recordType: A\n  targets: [192.0.2]\n");
    fs::write(
        reader.path().join("records.yaml"),
        broken.replace("192.0.2.1]", "192.0.2.7]"),
    )
    .unwrap();
    let applied = reader.planned("apply");
    assert_eq!(applied.status.code(), Some(1), "{}", text(&applied));
    assert!(
        text(&applied).contains("endpoints[1] (\"bad.example.com\"): targets[0]"),
        "{}",
        text(&applied)
    );
    assert_eq!(reader.addresses("www.example.com").await, ["192.0.2.7"]);
}

/// Our webhook server, as a process.
struct Webhook {
    process: Process,
    address: SocketAddr,
    metrics: SocketAddr,
}

impl Webhook {
    async fn start(reader: &Reader) -> Self {
        let listen = || SocketAddr::from((Ipv4Addr::LOCALHOST, free_port().unwrap()));
        let (address, metrics) = (listen(), listen());
        let mut command = reader.command("dns-operator records webhook");
        command
            .args(["--webhook-address", &address.to_string()])
            .args(["--metrics-address", &metrics.to_string()]);
        let launcher = Launcher::new(&reader.path().join("webhook"), Lifetime::Process).unwrap();
        let process = launcher.start("webhook", &command).unwrap();
        eventually("the webhook listens", async || {
            TcpStream::connect(address).is_ok()
        })
        .await;
        Self {
            process,
            address,
            metrics,
        }
    }

    /// A pass of external-dns, with its source of names at random.
    async fn external_dns(&self, policy: &str) {
        let mut given = arguments("external-dns");
        let url = given
            .iter()
            .position(|word| word == "--webhook-provider-url")
            .unwrap();
        assert_eq!(given[url + 1], "http://127.0.0.1:8888");
        given.drain(url..url + 2);
        assert_eq!(given, ["--provider", "webhook"]);
        let policy = format!("--policy={policy}");
        let fake = ["--source=fake", "--txt-owner-id=test", &policy];
        once(&format!("http://{}", self.address), &fake).await.unwrap();
    }

    /// The value of a metric.
    fn metric(&self, name: &str) -> u64 {
        let mut stream = TcpStream::connect(self.metrics).unwrap();
        write!(stream, "GET /metrics HTTP/1.0\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let line = answer.lines().find_map(|line| line.strip_prefix(name));
        let line = line.unwrap_or_else(|| panic!("{name} is not in {answer}"));
        line.trim().parse().unwrap()
    }

    fn reads(&self) -> u64 {
        self.metric("external_dns_records_provider_calls_total{operation=\"read\"}")
    }

    fn cached(&self, from_cache: bool) -> u64 {
        self.metric(&format!(
            "external_dns_provider_cache_records_calls{{from_cache=\"{from_cache}\"}}"
        ))
    }
}

#[tokio::test]
async fn external_dns_writes_through_a_cache_that_outlives_it() {
    let reader = Reader::start().await;
    let mut webhook = Webhook::start(&reader).await;
    webhook.external_dns("upsert-only").await;
    let first = reader.names().await;
    assert!(!first.is_empty());
    assert_eq!(webhook.reads(), 1);
    let misses = webhook.cached(false);
    // The guide: one counts up, the other stands still, whatever is written.
    for _ in 0..2 {
        let hits = webhook.cached(true);
        webhook.external_dns("upsert-only").await;
        assert!(webhook.cached(true) > hits);
    }
    assert_eq!((webhook.reads(), webhook.cached(false)), (1, misses));
    let then = reader.names().await;
    assert!(then.is_superset(&first) && then.len() > first.len());
    // Killed and back: the zone is confirmed by its serial number, and not read again.
    webhook.process.stop();
    drop(webhook);
    let mut webhook = Webhook::start(&reader).await;
    webhook.external_dns("sync").await;
    assert_eq!(webhook.reads(), 0);
    assert!(reader.names().await.is_disjoint(&then));
    webhook.process.stop();
    let shown = Command::new(program::path().unwrap())
        .args(["records", "show", "--record-cache-dir"])
        .arg(reader.path().join("cache"))
        .output()
        .unwrap();
    assert!(
        shown.status.success() && text(&shown).contains("zone example.com: "),
        "{}",
        text(&shown)
    );
}
