//! A stock external-dns at the stand-in, with what is wanted on a real API server.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use devcluster::children::Process;
use devcluster::{Cluster, Distribution, Options, Progress, programs};
use kube::Client;
use kube::api::{Patch, PatchParams};
use operator::resources::dns_endpoints;
use records::Endpoint;
use serde_json::json;
use tests::cloudflare::TOKEN;

use super::account::Account;
use super::ours::OWNER;
use super::spent::Spent;
use super::wishes::shown;
use crate::audit::BENCH;
use crate::stage::define;
use crate::subject::connect;

/// The time between two passes of one that stays.
const INTERVAL: Duration = Duration::from_secs(2);
/// What it logs when it has nothing to do.
const NOTHING_TO_DO: &str = "All records are already up to date";
/// How long it may take for anything.
pub const PATIENCE: Duration = Duration::from_secs(20 * 60);

/// external-dns, and the cluster where it finds what is wanted.
pub struct ExternalDns {
    program: PathBuf,
    cluster: Cluster,
    client: Client,
}

impl ExternalDns {
    /// A cluster where nothing is wanted.
    pub async fn set_up(progress: &Progress) -> Result<Self> {
        let program = programs::EXTERNAL_DNS_CONTROLLER.path(progress)?;
        let options = Options {
            controllers: false,
            distribution: Distribution::Kubernetes,
            ..Options::default()
        };
        let cluster = Cluster::start(options, progress).await?;
        define(&cluster, api::record_crds(), &[], progress)?;
        Ok(Self {
            program,
            client: connect(cluster.kubeconfig(), BENCH).await?,
            cluster,
        })
    }

    /// Ends everything.
    pub fn strike(self) -> Result<()> {
        self.cluster.stop()
    }

    /// Has these records be wanted, and no others.
    pub async fn want(&self, wanted: &[Endpoint]) -> Result<()> {
        let object = json!({
            "apiVersion": "externaldns.k8s.io/v1alpha1",
            "kind": "DNSEndpoint",
            "metadata": { "name": "wanted" },
            "spec": { "endpoints": shown(wanted) },
        });
        let objects = dns_endpoints(&self.client, Some("default"));
        let force = PatchParams::apply(BENCH).force();
        let patched = objects.patch("wanted", &force, &Patch::Apply(&object)).await;
        patched.context("failed to write a DNSEndpoint")?;
        Ok(())
    }

    /// external-dns with what is always the same.
    pub fn command(&self, provider: &str) -> Command {
        let mut command = Command::new(&self.program);
        command
            .arg(format!("--provider={provider}"))
            .arg(format!("--kubeconfig={}", self.cluster.kubeconfig().display()))
            .arg(format!("--txt-owner-id={OWNER}"))
            .args(["--source=crd", "--policy=sync", "--metrics-address=127.0.0.1:0"]);
        command
    }

    /// external-dns at the stand-in for Cloudflare.
    pub fn at(&self, account: &Account) -> Command {
        let mut command = self.command("cloudflare");
        command
            .env("CLOUDFLARE_BASE_URL", account.0.url())
            .env("CF_API_TOKEN", TOKEN);
        command
    }

    /// Makes one pass over what is wanted, in a process of its own that is ended when it takes
    /// too long.
    pub async fn once(&self, account: &Account, longest: Duration) -> Result<Spent> {
        let mut command = self.at(account);
        let took = self.run_once(&mut command, longest).await?;
        Ok(Spent {
            took,
            ..account.take()
        })
    }

    /// Runs a command for one pass, whatever comes of it; how long it took.
    pub async fn run_once(&self, command: &mut Command, longest: Duration) -> Result<Duration> {
        let begun = Instant::now();
        let mut process = self.start(command.arg("--once"))?;
        while begun.elapsed() < longest && process.check().is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(begun.elapsed())
    }

    fn start(&self, command: &Command) -> Result<Process> {
        self.cluster.launcher().start("external-dns", command)
    }

    /// Starts one that stays, with its cache, and waits until it has nothing more to do.
    pub async fn stay(&self, account: &Account) -> Result<Process> {
        let mut command = self.at(account);
        command.args([
            "--provider-cache-time=24h".to_owned(),
            format!("--interval={}s", INTERVAL.as_secs()),
        ]);
        let mut process = self.start(&command)?;
        self.settle(account, &mut process, || true).await?;
        Ok(process)
    }

    /// Has other records be wanted, and waits until the zone has them and `process` has
    /// nothing more to do.
    pub async fn follow(
        &self,
        account: &Account,
        process: &mut Process,
        wanted: &[Endpoint],
    ) -> Result<Spent> {
        self.want(wanted).await?;
        self.settle(account, process, || account.holds(wanted)).await
    }

    /// Waits until it is done, and a pass after that has found nothing to do. The calls, and the
    /// time from the first of them until it was done.
    async fn settle(
        &self,
        account: &Account,
        process: &mut Process,
        done: impl Fn() -> bool,
    ) -> Result<Spent> {
        let mut spent = Spent::default();
        let begun = Instant::now();
        let (mut first, mut ended) = (None::<Instant>, None);
        loop {
            tokio::time::sleep(Duration::from_millis(20)).await;
            process.check()?;
            ensure!(begun.elapsed() < PATIENCE, "external-dns did not come to an end");
            // Counted first: what is told after that belongs to a pass whose calls are counted.
            let idle = self.idle_passes()?;
            let calls = account.take();
            if calls.all() > 0 {
                let first = *first.get_or_insert_with(Instant::now);
                spent.add(&calls);
                if ended.is_none() && done() {
                    spent.took = first.elapsed();
                    ended = Some(self.idle_passes()?);
                }
            }
            if ended.is_some_and(|before| idle > before) {
                return Ok(spent);
            }
        }
    }

    /// How many passes have found nothing to do, of all that were made.
    fn idle_passes(&self) -> Result<usize> {
        let log = self.cluster.state().join("log/external-dns.log");
        let text = fs::read(&log).with_context(|| format!("failed to read {}", log.display()))?;
        Ok(String::from_utf8_lossy(&text).matches(NOTHING_TO_DO).count())
    }
}
