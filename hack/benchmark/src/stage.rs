//! A control plane for one program, and the bench's view of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use devcluster::children::{Process, run};
use devcluster::programs::KUBECTL;
use devcluster::{Cluster, Options, Progress};
use kube::Client;

use crate::audit::{AuditLog, BENCH, Requests, Sender};
use crate::edits::{Editor, OPERATOR};
use crate::process::processor_time;
use crate::subject::{self, Subject};

/// What comes after a block of edits still belongs to it.
pub const SETTLE: Duration = Duration::from_millis(500);
/// What comes after the last edit is over before rest is measured.
pub const CALM: Duration = Duration::from_secs(3);

/// A cluster for one program, and what the bench sees and does there.
pub struct Stage {
    /// The bench's own way to the API server.
    pub client: Client,
    /// Edits, and the outcome.
    pub editor: Editor,
    /// Requests.
    pub audit: AuditLog,
    /// The control plane.
    pub cluster: Cluster,
}

/// What was used and asked for in a while.
pub struct Spent {
    /// Processor time.
    pub processor: Duration,
    /// Requests.
    pub requests: Requests,
}

impl Stage {
    /// A fresh control plane that knows the DNS resource, and objects from files.
    pub async fn set_up(manifests: &[PathBuf], progress: &Progress) -> Result<Self> {
        let options = Options {
            controllers: false,
            ..Options::default()
        };
        let cluster = Cluster::start(options, progress).await?;
        define(&cluster, api::crds(), manifests, progress)?;
        // The API server lets the first creation under a new definition wait until
        // the definition is two seconds old, which is no matter of the program's.
        tokio::time::sleep(CALM).await;
        let client = subject::connect(cluster.kubeconfig(), BENCH).await?;
        Ok(Self {
            editor: Editor::new(&client),
            client,
            audit: AuditLog::new(cluster.audit_log().to_owned()),
            cluster,
        })
    }

    /// Starts the program; how long it took until its ConfigMap was there.
    pub async fn start(&mut self, subject: &Subject) -> Result<(Process, Duration)> {
        let begun = Instant::now();
        let mut process = subject.start(self.cluster.launcher(), self.cluster.kubeconfig())?;
        match self.editor.corefile(OPERATOR).await {
            Ok(seen) => Ok((process, seen.saturating_duration_since(begun))),
            Err(error) => {
                process.check()?;
                Err(error.context(format!("its log ends with:\n{}", process.log_tail())))
            }
        }
    }

    /// What the program used and asked for while something else went on.
    pub async fn spent(&self, id: u32, meanwhile: impl Future<Output = Result<()>>) -> Result<Spent> {
        let before = processor_time(id)?;
        let mark = self.audit.mark()?;
        meanwhile.await?;
        Ok(Spent {
            requests: self.audit.since(mark, Sender::Subject)?,
            processor: processor_time(id)?.saturating_sub(before),
        })
    }

    /// Ends everything.
    pub fn strike(self) -> Result<()> {
        let Self { cluster, editor, .. } = self;
        // Its watch would find nobody to watch.
        drop(editor);
        cluster.stop()
    }
}

/// Applies definitions of resources, and what was given beside them.
pub fn define(
    cluster: &Cluster,
    definitions: Vec<api::Definition>,
    manifests: &[PathBuf],
    progress: &Progress,
) -> Result<()> {
    let folder = cluster.state().join("definitions");
    fs::create_dir_all(&folder).with_context(|| format!("failed to make {}", folder.display()))?;
    for api::Definition { file, crd } in definitions {
        let file = Path::new(file).file_name().unwrap_or_default();
        let path = folder.join(file).with_extension("json");
        fs::write(&path, crd.to_string()).with_context(|| format!("failed to write {}", path.display()))?;
    }
    let program = KUBECTL.path(progress)?;
    let kubectl = || {
        let mut command = Command::new(&program);
        command.arg("--kubeconfig").arg(cluster.kubeconfig());
        command
    };
    for path in [&folder].into_iter().chain(manifests) {
        run(kubectl().args(["apply", "--server-side", "--filename"]).arg(path))?;
        run(kubectl().args([
            "wait",
            "--for=condition=Established",
            "--timeout=30s",
            "crd",
            "--all",
        ]))?;
    }
    Ok(())
}
