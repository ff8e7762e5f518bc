//! The local cluster's command line.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::{Args, Parser, Subcommand};
use devcluster::up::{self, Place};
use devcluster::{Progress, programs, state};
use tokio::signal::unix::{SignalKind, signal};

/// A real one-node Kubernetes on this machine, with the DNS operator on it.
///
/// etcd, Kubernetes, CoreDNS and containerd are built from their Go modules, the rest comes
/// from Debian packages: no container engine and no image registry. Builds are kept in
/// `DNS_OPERATOR_CACHE` (by default ~/.cache/dns-operator), and what runs keeps its state in
/// `DNS_OPERATOR_STATE` (by default a folder of this user in the folder for temporary files).
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Bring up the cluster, or bring the running one up to date, and leave it running.
    Up(Up),
    /// Stop the cluster that `up` left running, and remove all traces of it.
    Down,
    /// Tell what runs.
    Status,
    /// Build the programs of the cluster, with Prometheus and external-dns for tests, and install its Debian packages, and start nothing.
    Build,
}

#[derive(Debug, Args)]
struct Up {
    /// Bring up no node: the operator runs as a process beside an API server, and there are
    /// no pods. This is also what happens without root.
    #[arg(long, conflicts_with = "kubeconfig")]
    control_plane_only: bool,
    /// Start no cluster: apply the manifests to this one and run the operator as a process.
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let progress = Progress::shown();
    match Cli::parse().command {
        Command::Up(arguments) => unless_interrupted(bring_up(arguments, progress)).await,
        Command::Down => {
            let ended = state::State::hold(&state::of_up())?.remove()?;
            for path in state::clear_abandoned()? {
                progress.say(format!("cleared {}", path.display()));
            }
            match ended[..] {
                [] => progress.say("nothing was running"),
                _ => progress.say(format!("stopped {}", ended.join(", "))),
            }
            Ok(())
        }
        Command::Status => up::status(),
        Command::Build => {
            programs::build(&programs::CONTROL_PLANE, &progress)?;
            programs::build(&programs::WHOLE_NODE, &progress)?;
            programs::build(&programs::MONITORING, &progress)?;
            programs::build(&programs::EXTERNAL_DNS, &progress)?;
            devcluster::debian::provide(&devcluster::debian::NODE, &progress)
        }
    }
}

async fn bring_up(arguments: Up, progress: Progress) -> Result<()> {
    let place = match arguments.kubeconfig {
        Some(path) => {
            let path = path
                .canonicalize()
                .with_context(|| format!("looking for {}", path.display()))?;
            Place::Existing(path)
        }
        None if arguments.control_plane_only => Place::ControlPlane,
        None if !rustix::process::geteuid().is_root() => {
            progress.say("not root: bringing up the control plane only");
            Place::ControlPlane
        }
        None => Place::Node,
    };
    up::up(&place, &progress).await
}

/// Runs some work, which cleans up after itself when it is dropped.
async fn unless_interrupted(work: impl Future<Output = Result<()>>) -> Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listening for SIGINT")?;
    tokio::select! {
        result = work => return result,
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    bail!("interrupted; everything that was started is gone")
}
