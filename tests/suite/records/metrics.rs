//! What `records run` and `records webhook` count: all of it is in the guide, and a real
//! Prometheus reads it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;

use devcluster::children::Launcher;
use devcluster::control_plane::free_port;
use devcluster::prometheus::Target;
use devcluster::{Lifetime, Prometheus};
use serde_json::json;
use tests::program;

use super::daemon::Daemon;
use crate::control_plane::eventually;

/// One that is well, and one that is not.
const RECORDS: &str = "endpoints:\n\
    - {dnsName: www.example.com, recordType: A, targets: [192.0.2.1]}\n\
    - {dnsName: bad.example.com, recordType: A, targets: [192.0.2]}\n";
/// Who has a metric, as the table says it.
const COMMANDS: [&str; 2] = ["run", "webhook"];

/// The labels of metrics by the names of these.
type Metrics = BTreeMap<String, BTreeSet<String>>;

/// The rows of a page's table: the cells behind the labels, and the metrics.
pub fn documented_in(page: &str) -> Vec<(Vec<String>, Metrics)> {
    let page = fs::read_to_string(program::workspace().join("docs").join(page)).unwrap();
    let section = page.split("\n## Metrics\n").nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let words = |cell: &str| -> Vec<String> {
        let quoted = cell.split('`').skip(1).step_by(2);
        quoted.map(ToOwned::to_owned).collect()
    };
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    let rows = rows.map(|line| line.split('|').map(str::trim).collect::<Vec<_>>());
    rows.map(|cells| {
        let labels: BTreeSet<String> = words(cells[2]).into_iter().collect();
        let metrics = words(cells[1]).into_iter();
        (
            cells[3..].iter().map(ToString::to_string).collect(),
            metrics.map(|name| (name, labels.clone())).collect(),
        )
    })
    .collect()
}

/// The metrics of the guide's table for one of the commands.
fn documented(command: &str) -> BTreeMap<String, BTreeSet<String>> {
    let rows = documented_in("external-records.md").into_iter();
    let of_command = rows.filter(|(cells, _)| {
        let of = cells[0].as_str();
        assert!(COMMANDS.contains(&of) || of == "both", "{cells:?}");
        of == command || of == "both"
    });
    of_command.flat_map(|(_, metrics)| metrics).collect()
}

/// The metrics in a text, likewise.
pub fn exposed(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    samples
        .map(|line| {
            let (series, _) = line.rsplit_once(' ').unwrap();
            let (name, labels) = series.split_once('{').unwrap_or((series, ""));
            let labels = labels.split(',').filter_map(|label| label.split_once('='));
            (
                name.to_owned(),
                labels.map(|(label, _)| label.to_owned()).collect(),
            )
        })
        .collect()
}

fn arguments(command: &str, folder: &Path) -> Vec<String> {
    let cache = folder.join(format!("cache-{command}"));
    [
        command,
        "--provider=inmemory",
        "--inmemory-zone=example.com",
        "--provider-cache-time=10m",
        "--provider-cache-patch-on-apply",
        &format!("--record-cache-dir={}", cache.display()),
    ]
    .map(ToOwned::to_owned)
    .into()
}

/// Has the webhook server read its zone.
fn ask_for_records(webhook: SocketAddr) {
    let mut stream = TcpStream::connect(webhook).unwrap();
    let accept = "application/external.dns.webhook+json;version=1";
    write!(
        stream,
        "GET /records HTTP/1.1\r\nHost: localhost\r\nAccept: {accept}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

#[tokio::test]
async fn every_metric_is_documented_and_prometheus_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("records.yaml");
    fs::write(&file, RECORDS).unwrap();
    let mut run = arguments("run", folder.path());
    run.extend([
        "--policy=sync".to_owned(),
        "--interval=1s".to_owned(),
        format!("--file={}", file.display()),
    ]);
    let mut webhook = arguments("webhook", folder.path());
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port().unwrap()));
    webhook.push(format!("--webhook-address={address}"));
    let run = Daemon::start(folder.path(), "run", &run).await;
    let webhook = Daemon::start(folder.path(), "webhook", &webhook).await;
    assert_eq!(webhook.get("/readyz").await.unwrap().status, 200);
    ask_for_records(address);
    let daemons = [run, webhook];
    for (command, daemon) in COMMANDS.iter().zip(&daemons) {
        let mut seen = BTreeMap::new();
        // The second pass finds what the first has written.
        eventually(
            &format!("the metrics of {command} are those of the guide"),
            async || {
                seen = exposed(&daemon.get("/metrics").await.unwrap().body);
                seen.keys()
                    .collect::<BTreeSet<_>>()
                    .is_superset(&documented(command).keys().collect())
            },
        )
        .await;
        assert_eq!(seen, documented(command), "{command}");
    }
    what_is_counted(&daemons[0]).await;
    prometheus_reads(folder.path(), &daemons).await;
}

async fn what_is_counted(run: &Daemon) {
    for (series, value) in [
        ("external_dns_source_records{record_type=\"a\"}", 1.0),
        ("external_dns_source_endpoints_total", 1.0),
        (
            "external_dns_source_invalid_endpoints{record_type=\"a\",source_type=\"file\"}",
            1.0,
        ),
        ("external_dns_registry_records{record_type=\"a\"}", 1.0),
        ("external_dns_registry_endpoints_total", 1.0),
        ("external_dns_controller_verified_records{record_type=\"a\"}", 1.0),
        ("external_dns_controller_consecutive_soft_errors", 0.0),
        ("external_dns_records_not_in_place", 1.0),
        ("external_dns_records_groups_total{outcome=\"applied\"}", 1.0),
        ("external_dns_provider_cache_apply_changes_calls", 1.0),
        (
            "external_dns_provider_cache_records_calls{from_cache=\"false\"}",
            1.0,
        ),
        (
            "external_dns_records_provider_calls_total{operation=\"read\"}",
            1.0,
        ),
        ("external_dns_records_cache_disk_failed", 0.0),
        ("external_dns_records_cache_records{zone=\"example.com\"}", 2.0),
        ("external_dns_records_cache_dirty{zone=\"example.com\"}", 0.0),
    ] {
        assert_eq!(run.metric(series).await, Some(value), "{series}");
    }
}

async fn prometheus_reads(folder: &Path, daemons: &[Daemon]) {
    let launcher = Launcher::new(folder, Lifetime::Process).unwrap();
    let targets: Vec<Target> = COMMANDS
        .iter()
        .zip(daemons)
        .map(|(command, daemon)| Target {
            address: daemon.metrics.to_string(),
            labels: BTreeMap::from([("command".into(), (*command).into())]),
            tls: None,
        })
        .collect();
    let prometheus = Prometheus::start(&launcher, &json!({ "groups": [] }), &targets)
        .await
        .unwrap();
    for command in COMMANDS {
        let documented: BTreeSet<String> = documented(command).into_keys().collect();
        let query = format!("group by (__name__) ({{command=\"{command}\"}})");
        let mut missing = documented.clone();
        eventually(&format!("Prometheus has the metrics of {command}"), async || {
            let samples = prometheus.query(&query).unwrap();
            for sample in samples {
                missing.remove(&sample.labels["__name__"]);
            }
            missing.is_empty()
        })
        .await;
    }
}
