//! One program on a fresh control plane, from its first start to its end.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};
use devcluster::Progress;
use devcluster::children::Process;

use crate::audit::{Requests, Sender};
use crate::bare;
use crate::cli::OperatorArgs;
use crate::edits::{OPERATOR, Target};
use crate::figures::{Distribution, Edits, Figures, Heartbeats, Rest, milliseconds};
use crate::nodes;
use crate::process::{memory, processor_time};
use crate::stage::{CALM, SETTLE, Stage};
use crate::subject::{self, Subject};

/// Edits in a row of one kind.
const BLOCK: u32 = 10;
/// Edits of each kind that do not count: the first pays for connections.
const WARM_UP: u32 = 3;
/// A program, a cluster for it alone, and the bench's view of that.
struct Trial<'a> {
    subject: &'a Subject,
    args: &'a OperatorArgs,
    progress: &'a Progress,
    stage: Stage,
}

/// Whom a block of edits is for.
struct Side {
    target: Target,
    sender: Sender,
    id: u32,
    latencies: Vec<Duration>,
    processor: Duration,
    requests: Requests,
}

/// Measures a program with each number of nodes.
pub async fn measure(subject: &Subject, args: &OperatorArgs, progress: &Progress) -> Result<Vec<Figures>> {
    let mut trial = Trial::set_up(subject, args, progress).await?;
    let mut counts = args.nodes.clone();
    counts.sort_unstable();
    counts.dedup();
    let mut figures = Vec::new();
    let mut existing = 0;
    for count in counts {
        if count > existing {
            nodes::create(&trial.stage.client, existing, count, progress).await?;
        }
        existing = count;
        figures.push(trial.with_nodes(count, figures.is_empty()).await?);
    }
    trial.stage.strike()?;
    Ok(figures)
}

impl<'a> Trial<'a> {
    async fn set_up(subject: &'a Subject, args: &'a OperatorArgs, progress: &'a Progress) -> Result<Self> {
        Ok(Self {
            subject,
            args,
            progress,
            stage: Stage::set_up(&args.manifest, progress).await?,
        })
    }

    async fn with_nodes(&mut self, nodes: u32, first: bool) -> Result<Figures> {
        let name = self.subject.name;
        self.progress.say(format!("{name}, {nodes} nodes: starts"));
        let mut first_start_s = None;
        if first {
            let (process, time) = self.stage.start(self.subject).await?;
            first_start_s = Some(time.as_secs_f64());
            // The objects after the ConfigMap belong to this start, not to the next.
            tokio::time::sleep(CALM).await;
            subject::stop(process).await?;
            self.stage.editor.create(bare::TARGET).await?;
        }
        let (process, starts_s) = self.starts().await?;
        self.progress
            .say(format!("{name}, {nodes} nodes: {} edits", self.args.edits));
        let (edits, bare) = self.edits(process.id()).await?;
        self.progress
            .say(format!("{name}, {nodes} nodes: at rest for {} s", self.args.rest));
        let rest = self.rest(process.id()).await?;
        let heartbeats = self.heartbeats(nodes, process.id()).await?;
        subject::stop(process).await?;
        Ok(Figures {
            subject: name,
            nodes,
            first_start_s,
            starts_s,
            edits,
            bare,
            rest,
            heartbeats,
        })
    }

    /// Starts it again and again without its ConfigMap; the last one runs on.
    async fn starts(&mut self) -> Result<(Process, Distribution)> {
        let mut times = Vec::new();
        let mut running = None;
        for _ in 0..self.args.starts.max(1) {
            if let Some(process) = running.take() {
                subject::stop(process).await?;
            }
            self.stage.editor.delete_config_map(OPERATOR).await?;
            let (process, time) = self.stage.start(self.subject).await?;
            times.push(time);
            tokio::time::sleep(SETTLE).await;
            running = Some(process);
        }
        let process = running.context("the program was never started")?;
        Ok((process, Distribution::seconds(&times)))
    }

    /// Blocks of edits for the program and for the bare client, in turn.
    async fn edits(&mut self, id: u32) -> Result<(Edits, Edits)> {
        let mut command = Command::new(std::env::current_exe().context("failed to find this program")?);
        command
            .arg("bare")
            .env("KUBECONFIG", self.stage.cluster.kubeconfig());
        let bare = self.stage.cluster.launcher().start("bare", &command)?;
        let mut own = Side::new(OPERATOR, Sender::Subject, id);
        let mut other = Side::new(bare::TARGET, Sender::Bare, bare.id());
        for target in [OPERATOR, bare::TARGET] {
            for _ in 0..WARM_UP {
                self.stage.editor.edit(target).await?;
            }
        }
        // What the status costs the API server at each edit is not the program's doing.
        tokio::time::sleep(CALM).await;
        self.stage.editor.copy_status(OPERATOR, bare::TARGET).await?;
        let mut left = self.args.edits;
        while left > 0 {
            let count = left.min(BLOCK);
            self.block(count, &mut own).await?;
            self.block(count, &mut other).await?;
            left -= count;
        }
        Ok((own.finish(self.args.edits)?, other.finish(self.args.edits)?))
    }

    async fn block(&mut self, count: u32, side: &mut Side) -> Result<()> {
        tokio::time::sleep(SETTLE).await;
        let before = processor_time(side.id)?;
        let mark = self.stage.audit.mark()?;
        for _ in 0..count {
            side.latencies.push(self.stage.editor.edit(side.target).await?);
            tokio::time::sleep(Duration::from_millis(self.args.pause)).await;
        }
        tokio::time::sleep(SETTLE).await;
        side.requests.add(self.stage.audit.since(mark, side.sender)?);
        side.processor += processor_time(side.id)?.saturating_sub(before);
        Ok(())
    }

    async fn rest(&self, id: u32) -> Result<Rest> {
        tokio::time::sleep(CALM).await;
        let pause = Duration::from_secs(self.args.rest.into());
        let spent = self
            .stage
            .spent(id, async {
                tokio::time::sleep(pause).await;
                Ok(())
            })
            .await?;
        let memory = memory(id)?;
        Ok(Rest {
            seconds: self.args.rest,
            requests: spent.requests,
            processor_ms: milliseconds(spent.processor),
            resident_kb: memory.resident,
            anonymous_kb: memory.anonymous,
            peak_kb: memory.peak,
        })
    }

    async fn heartbeats(&self, nodes: u32, id: u32) -> Result<Option<Heartbeats>> {
        let count = self.args.heartbeats;
        if nodes == 0 || count == 0 {
            return Ok(None);
        }
        self.progress.say(format!("{count} nodes report"));
        let reports = async {
            nodes::report(&self.stage.client, nodes, count).await?;
            tokio::time::sleep(SETTLE).await;
            Ok(())
        };
        let spent = self.stage.spent(id, reports).await?;
        Ok(Some(Heartbeats {
            count,
            requests: spent.requests,
            processor_ms: milliseconds(spent.processor),
        }))
    }
}

impl Side {
    fn new(target: Target, sender: Sender, id: u32) -> Self {
        Self {
            target,
            sender,
            id,
            latencies: Vec::new(),
            processor: Duration::ZERO,
            requests: Requests::default(),
        }
    }

    fn finish(self, count: u32) -> Result<Edits> {
        Ok(Edits {
            count,
            latency_ms: Distribution::milliseconds(&self.latencies),
            processor_ms: milliseconds(self.processor),
            requests: self.requests,
            resident_kb: memory(self.id)?.resident,
        })
    }
}
