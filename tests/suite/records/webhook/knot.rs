//! A zone on a real Knot, and our webhook server in front of it.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::process::Command;

use devcluster::primary::{Make, Primary, SECRET};
use hickory_proto::rr::RecordType;
use records::provider::rfc2136::{Rfc2136, Settings};
use records::{Endpoint, Name, Provider as _, Zone, ZoneId};
use tempfile::TempDir;
use tests::program;

use super::program::Program;
use crate::dns_client::DnsClient;
use crate::records::rfc2136::settings;

/// The zone.
pub const ZONE: &str = "example.com";

/// A server with the zone.
pub struct Knot {
    folder: TempDir,
    primary: Primary,
    /// Where our server listens.
    address: SocketAddr,
}

impl Knot {
    /// A zone with those lines besides an SOA record and a name server.
    pub async fn start(lines: String) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let zones = [(ZONE, lines)];
        let primary = Primary::start(Make::Knot, folder.path(), Program::free_address(), &zones, None);
        Self {
            primary: primary.await.unwrap(),
            address: Program::free_address(),
            folder,
        }
    }

    /// The record sets that it has, as lines; none is there twice.
    pub async fn records(&self) -> BTreeSet<String> {
        let name = Name::parse(ZONE).unwrap();
        let settings = Settings {
            zones: vec![name.clone()],
            ..settings(self.primary.listen())
        };
        let id = ZoneId(ZONE.into());
        let read = Rfc2136::new(&settings).unwrap();
        let read = read.read(&Zone { id, name }).await.unwrap().records;
        let line = |record: &Endpoint| {
            let targets = record.targets.join(" ");
            format!("{} {} {targets}", record.dns_name, record.record_type)
        };
        let lines: BTreeSet<String> = read.iter().map(|record| line(&record)).collect();
        assert_eq!(lines.len(), read.len());
        lines
    }

    /// Rises with what is written.
    pub async fn serial(&self) -> u32 {
        let answer = DnsClient(self.primary.listen()).ask(ZONE, RecordType::SOA);
        answer.await.unwrap().serial.unwrap()
    }

    /// Our server, each time at the same address and with the same cache on disk.
    pub async fn server(&self) -> Program {
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
}
