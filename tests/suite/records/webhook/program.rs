//! `dns-operator records webhook`, as a process.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;

use devcluster::Lifetime;
use devcluster::children::{Launcher, Process};
use devcluster::control_plane::free_port;

use crate::control_plane::eventually;

/// Our webhook server; killed when dropped.
pub struct Program {
    process: Process,
    address: SocketAddr,
    metrics: SocketAddr,
}

impl Program {
    /// Where a server can listen.
    pub fn free_address() -> SocketAddr {
        (Ipv4Addr::LOCALHOST, free_port().unwrap()).into()
    }

    /// Starts the command, which has all but the addresses, and waits until it listens.
    /// Its log is in `folder`.
    pub async fn start(mut command: Command, address: SocketAddr, folder: &Path) -> Self {
        let metrics = Self::free_address();
        command
            .args(["--webhook-address", &address.to_string()])
            .args(["--metrics-address", &metrics.to_string()]);
        let launcher = Launcher::new(folder, Lifetime::Process).unwrap();
        let mut process = launcher.start("webhook", &command).unwrap();
        eventually("the webhook listens", async || {
            process.check().unwrap();
            TcpStream::connect(address).is_ok()
        })
        .await;
        Self {
            process,
            address,
            metrics,
        }
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Fails if it has ended.
    pub fn check(&mut self) {
        self.process.check().unwrap();
    }

    /// Kills it.
    pub fn kill(&mut self) {
        self.process.stop();
    }

    /// The value of a metric.
    pub fn metric(&self, name: &str) -> u64 {
        let mut stream = TcpStream::connect(self.metrics).unwrap();
        write!(stream, "GET /metrics HTTP/1.0\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let line = answer.lines().find_map(|line| line.strip_prefix(name));
        let line = line.unwrap_or_else(|| panic!("{name} is not in {answer}"));
        line.trim().parse().unwrap()
    }

    /// How often a whole zone was read.
    pub fn reads(&self) -> u64 {
        self.metric("external_dns_records_provider_calls_total{operation=\"read\"}")
    }

    /// How often the zones were served, by whether the cache alone answered.
    pub fn cached(&self, from_cache: bool) -> u64 {
        self.metric(&format!(
            "external_dns_provider_cache_records_calls{{from_cache=\"{from_cache}\"}}"
        ))
    }
}
