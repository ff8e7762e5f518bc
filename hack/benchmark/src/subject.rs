//! The programs that are measured.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail};
use devcluster::children::{Launcher, Process};
use http::HeaderValue;
use http::header::USER_AGENT;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use rustix::process::{Pid, Signal, kill_process};

/// The namespace of the operand.
pub const NAMESPACE: &str = "openshift-dns";
/// How long a program may take to end when told to.
const GRACE: Duration = Duration::from_secs(10);

/// An operator to measure.
#[derive(Clone, Debug)]
pub struct Subject {
    /// What it is called in tables.
    pub name: &'static str,
    /// Where it lies.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
}

impl Subject {
    /// The operator, given or beside this program.
    pub fn operator(program: Option<&Path>) -> Result<Self> {
        let program = match program {
            Some(program) => program.to_owned(),
            None => std::env::current_exe()
                .context("failed to find this program")?
                .with_file_name("dns-operator"),
        };
        // Its usual ports may be taken on the machine that measures.
        let ports = ["--metrics-bind-addr", "--health-bind-addr"].map(|flag| format!("{flag}=127.0.0.1:0"));
        Self::new("operator", &program, &ports)
    }

    /// A program under a name.
    pub fn new(name: &'static str, program: &Path, arguments: &[String]) -> Result<Self> {
        if !program.is_file() {
            bail!("there is no program {}", program.display());
        }
        Ok(Self {
            name,
            program: std::path::absolute(program)
                .with_context(|| format!("failed to find {}", program.display()))?,
            arguments: arguments.to_vec(),
        })
    }

    /// Starts it on a cluster.
    pub fn start(&self, launcher: &Launcher, kubeconfig: &Path) -> Result<Process> {
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .env("KUBECONFIG", kubeconfig)
            .env("IMAGE", "coredns:bench")
            .env("OPENSHIFT_CLI_IMAGE", "cli:bench")
            .env("KUBE_RBAC_PROXY_IMAGE", "kube-rbac-proxy:bench")
            .env("RELEASE_VERSION", "bench");
        launcher.start(self.name, &command)
    }
}

/// Tells a program to end, and waits until it has.
pub async fn stop(mut process: Process) -> Result<()> {
    let id = i32::try_from(process.id()).ok().and_then(Pid::from_raw);
    let id = id.ok_or_else(|| anyhow!("process {} cannot be", process.id()))?;
    process.check()?;
    kill_process(id, Signal::TERM).context("failed to tell the program to end")?;
    let told = Instant::now();
    while process.check().is_ok() && told.elapsed() < GRACE {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // Dropping it ends it for certain.
    Ok(())
}

/// A client for a cluster that calls itself `agent`.
pub async fn connect(kubeconfig: &Path, agent: &str) -> Result<Client> {
    let read = || format!("failed to read the kubeconfig {}", kubeconfig.display());
    let file = Kubeconfig::read_from(kubeconfig).with_context(read)?;
    let mut config = Config::from_custom_kubeconfig(file, &KubeConfigOptions::default())
        .await
        .with_context(read)?;
    let agent = format!("{agent}/{}", env!("CARGO_PKG_VERSION"));
    let agent = HeaderValue::from_str(&agent).context("failed to set the user agent")?;
    config.headers.push((USER_AGENT, agent));
    Client::try_from(config).context("failed to set up the client")
}
