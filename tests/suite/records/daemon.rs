//! A command of `dns-operator records` that stays, as a process.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;

use devcluster::Lifetime;
use devcluster::children::{Launcher, Process};
use devcluster::control_plane::free_port;
use tests::program;

use crate::control_plane::eventually;
use crate::serving::client::{Answer, get};

/// A running command. Dropping it kills it.
pub struct Daemon {
    process: Process,
    log: PathBuf,
    pub metrics: SocketAddr,
}

impl Daemon {
    /// Starts a command, with its log in a folder, and waits until it serves metrics. The
    /// log goes on where that of the last one with the name ended.
    pub async fn start(folder: &Path, name: &str, arguments: &[String]) -> Self {
        Self::start_with(folder, name, &command(arguments)).await
    }

    /// Likewise, of a command that has more than arguments.
    pub async fn start_with(folder: &Path, name: &str, command: &Command) -> Self {
        let launcher = Launcher::new(folder, Lifetime::Process).unwrap();
        Self::launch(&launcher, name, command).await
    }

    /// Likewise, where a launcher starts things.
    pub async fn launch(launcher: &Launcher, name: &str, command: &Command) -> Self {
        let metrics = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port().unwrap()));
        let mut serving = Command::new(command.get_program());
        serving
            .args(command.get_args())
            .arg(format!("--metrics-address={metrics}"))
            .envs(
                command
                    .get_envs()
                    .filter_map(|(name, value)| Some((name, value?))),
            );
        let process = launcher.start(name, &serving).unwrap();
        let log = launcher.state().join("log").join(format!("{name}.log"));
        let mut daemon = Self {
            process,
            log,
            metrics,
        };
        eventually("metrics are served", async || {
            daemon.process.check().unwrap();
            daemon.get("/healthz").await.is_some()
        })
        .await;
        daemon
    }

    /// Kills it.
    pub fn kill(mut self) {
        self.process.stop();
    }

    /// Asks it to end.
    pub fn terminate(&self) {
        self.process.terminate().unwrap();
    }

    /// Waits until it has ended; its exit code.
    pub async fn exit_code(&mut self) -> Option<i32> {
        let mut ended = None;
        eventually("it has ended", async || {
            ended = self.process.ended().unwrap();
            ended.is_some()
        })
        .await;
        ended.unwrap().code()
    }

    /// Fails with its log if it has ended.
    pub fn is_alive(&mut self) {
        self.process.check().unwrap();
    }

    /// What it has logged, with those of its name before it.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// What it answers for a path; none if it cannot be reached.
    pub async fn get(&self, path: &str) -> Option<Answer> {
        get(&self.metrics.to_string(), path, None, None).await.ok()
    }

    /// The value of a series; none if there is none.
    pub async fn metric(&self, series: &str) -> Option<f64> {
        let answer = self.get("/metrics").await.unwrap();
        let value = answer.body.lines().find_map(|line| line.strip_prefix(series));
        value.and_then(|value| value.strip_prefix(' ')?.parse().ok())
    }

    /// Waits until it has made so many more passes.
    pub async fn passes(&mut self, count: usize) {
        const LAST: &str = "external_dns_controller_last_reconcile_timestamp_seconds";
        for _ in 0..count {
            let before = self.metric(LAST).await;
            eventually("a pass", async || self.metric(LAST).await != before).await;
        }
        self.is_alive();
    }
}

/// A command of `dns-operator records`.
pub fn command(arguments: &[String]) -> Command {
    let mut command = Command::new(program::path().unwrap());
    command.arg("records").args(arguments);
    command
}
