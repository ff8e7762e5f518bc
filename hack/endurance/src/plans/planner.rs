//! The planner of external-dns, as a process.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use devcluster::Progress;
use devcluster::programs::EXTERNAL_DNS_PLANNER;
use records::Change;
use records::webhook::{ChangeSet, decode};

use super::cases::Case;
use super::changes::Changes;

/// The process; ended when dropped.
pub(super) struct Planner {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Planner {
    pub(super) fn start(progress: &Progress) -> Result<Self> {
        let mut child = Command::new(EXTERNAL_DNS_PLANNER.path(progress)?)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("failed to start external-dns's planner")?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (input, output) = pipes.context("external-dns's planner has no pipes")?;
        Ok(Self {
            child,
            input,
            output: BufReader::new(output),
        })
    }

    /// What external-dns plans.
    pub(super) fn plan(&mut self, case: &Case) -> Result<Changes> {
        let mut line = serde_json::to_string(case).context("writing a case")?;
        line.push('\n');
        self.input
            .write_all(line.as_bytes())
            .context("external-dns's planner has ended")?;
        let mut answer = String::new();
        self.output
            .read_line(&mut answer)
            .context("reading from external-dns's planner")?;
        ensure!(
            !answer.is_empty(),
            "external-dns's planner has no answer to {line}"
        );
        let changes: ChangeSet =
            decode(answer.as_bytes()).with_context(|| format!("external-dns's planner answers {answer}"))?;
        let updates = changes.update_old.into_iter().zip(changes.update_new);
        let updates = updates.map(|(old, new)| Change::Update { old, new });
        let creates = changes.create.into_iter().map(Change::Create);
        let deletes = changes.delete.into_iter().map(Change::Delete);
        Ok(Changes::new(creates.chain(updates).chain(deletes)))
    }
}

impl Drop for Planner {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
