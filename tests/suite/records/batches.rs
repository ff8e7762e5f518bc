//! What becomes of batches, as `/metrics` tells it.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::Command;

use devcluster::Lifetime;
use devcluster::children::Launcher;
use devcluster::control_plane::free_port;
use tests::program;

use crate::control_plane::eventually;

/// The metrics; none before the program listens.
fn metrics(address: SocketAddr) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    write!(stream, "GET /metrics HTTP/1.0\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}

/// What the first pass over an empty zone is told as.
async fn first_pass(size: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("records.yaml");
    let endpoints = (0..5).map(|number| {
        format!("- {{dnsName: n{number}.example.com, recordType: A, targets: [192.0.2.{number}]}}\n")
    });
    fs::write(&file, format!("endpoints:\n{}", endpoints.collect::<String>())).unwrap();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port().unwrap()));
    let mut command = Command::new(program::path().unwrap());
    command
        .args(["records", "run", "--policy=sync", "--provider=inmemory"])
        .args(["--inmemory-zone=example.com", "--batch-change-interval=0s"])
        .args(["--batch-change-size", size])
        .args(["--metrics-address", &address.to_string()])
        .arg("--file")
        .arg(&file);
    let launcher = Launcher::new(&folder.path().join("run"), Lifetime::Process).unwrap();
    let mut process = launcher.start("run", &command).unwrap();
    let mut told = String::new();
    eventually("a pass is counted", async || {
        told = metrics(address).unwrap_or_default();
        told.contains("external_dns_records_changes_total{")
    })
    .await;
    process.stop();
    told
}

#[tokio::test]
async fn changes_and_batches_are_counted() {
    // Five addresses, each with its ownership record.
    let told = first_pass("4").await;
    for line in [
        "external_dns_records_changes_total{result=\"applied\"} 10",
        "external_dns_records_batches_total{answer=\"applied\"} 3",
        "external_dns_records_batches_total{answer=\"refused\"} 0",
        "external_dns_records_batch_splits_total 0",
        "external_dns_records_throttle_waits_total 0",
        "external_dns_records_throttle_wait_seconds_total 0",
        "external_dns_records_quarantine_held_back_total 0",
        "external_dns_records_quarantined 0",
        "external_dns_records_not_in_place 0",
    ] {
        assert!(told.contains(line), "{line}: {told}");
    }
    let told = first_pass("1").await;
    for line in [
        "external_dns_records_changes_total{result=\"rejected\"} 10",
        "external_dns_records_batches_total{answer=\"applied\"} 0",
        "external_dns_records_not_in_place 5",
    ] {
        assert!(told.contains(line), "{line}: {told}");
    }
}
