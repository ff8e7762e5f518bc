//! external-dns as it is, as a process.

use std::fs::File;
use std::process::Command;

use devcluster::children::{self, Launcher, Process};
use devcluster::{Lifetime, Progress, programs};
use tempfile::TempDir;

/// Where external-dns serves a provider; it has no flag for it.
pub const SERVED_AT: &str = "http://127.0.0.1:8888";

fn command(arguments: &[&str]) -> Command {
    let program = programs::EXTERNAL_DNS_CONTROLLER
        .path(&Progress::hidden())
        .unwrap();
    let mut command = Command::new(program);
    // The usual port for metrics is the same for all that run here.
    command.arg("--metrics-address=127.0.0.1:0").args(arguments);
    command
}

/// Makes one pass and returns what it logs; fails if it fails.
pub async fn once(provider: &str, arguments: &[&str]) -> anyhow::Result<String> {
    let url = format!("--webhook-provider-url={provider}");
    let mut command = command(&["--provider=webhook", &url, "--once"]);
    command.args(arguments);
    tokio::task::spawn_blocking(move || children::run(&mut command)).await?
}

/// A running external-dns; killed when dropped.
pub struct ExternalDns {
    process: Process,
    _folder: TempDir,
}

impl ExternalDns {
    fn start(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let launcher = Launcher::new(folder.path(), Lifetime::Process).unwrap();
        let process = launcher.start("external-dns", &command(arguments)).unwrap();
        Self {
            process,
            _folder: folder,
        }
    }

    /// Keeps the records of a webhook provider, one pass a second.
    pub fn keeping(provider: &str, arguments: &[&str]) -> Self {
        let url = format!("--webhook-provider-url={provider}");
        let arguments = [&["--provider=webhook", &url, "--interval=1s"], arguments].concat();
        Self::start(&arguments)
    }

    /// Whether it runs, or why not.
    pub fn check(&mut self) -> anyhow::Result<()> {
        self.process.check()
    }
}

/// external-dns that serves its provider in memory. There is one a machine at a time.
pub struct Served {
    pub external_dns: ExternalDns,
    _port: File,
}

impl Served {
    /// Serves zones without records.
    pub async fn start(zones: &[&str]) -> Self {
        let port = tokio::task::spawn_blocking(|| {
            let lock = File::create(std::env::temp_dir().join("external-dns-8888.lock")).unwrap();
            lock.lock().unwrap();
            lock
        });
        let port = port.await.unwrap();
        let zones: Vec<String> = zones
            .iter()
            .map(|zone| format!("--inmemory-zone={zone}"))
            .collect();
        let mut arguments = vec![
            "--webhook-server",
            "--provider=inmemory",
            "--source=fake",
            "--policy=sync",
        ];
        arguments.extend(zones.iter().map(String::as_str));
        Self {
            external_dns: ExternalDns::start(&arguments),
            _port: port,
        }
    }

    /// Ends it, and keeps its port.
    pub fn end(&mut self) {
        self.external_dns.process.stop();
    }
}
