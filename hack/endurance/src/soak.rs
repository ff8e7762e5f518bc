//! Changes without a pause, and then none at all.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use benchmark::audit::{AuditLog, Sender};
use devcluster::{Cluster, Progress};
use kube::Client;
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::change::Changes;
use crate::end::{self, Release};
use crate::hand::Hand;
use crate::load::{self, Load};
use crate::report::Report;
use crate::vitals::Watch;

/// What is done, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// What changes are drawn from.
    pub seed: u64,
    /// How long changes go on.
    pub duration: Duration,
    /// How many changes a second.
    pub changes_a_second: u32,
}

/// The time between two changes that start pods or stop the traffic, in seconds: a
/// rollout takes 20, so that some are overtaken by the next.
const SELDOM: u32 = 7;
/// The time between two lines of progress.
const TELL_EVERY: Duration = Duration::from_secs(10);
/// How long it may take until everything is as it should be: a rollout and the end
/// of the pods before.
const SETTLE: Duration = Duration::from_secs(300);
/// How long it may take until each of a dozen upstreams, most of them dead, is judged:
/// the status names them one after the other.
const JUDGED: Duration = Duration::from_secs(45);
/// How long the operator has to be quiet then.
const QUIET: Duration = Duration::from_secs(30);

/// A soak that goes on.
struct Soak<'a> {
    plan: &'a Plan,
    progress: &'a Progress,
    client: Client,
    release: &'a Release,
    begun: Instant,
    load: Load,
    vitals: Watch,
    hand: Hand,
    changes: Changes,
}

/// Changes a cluster on which the operator is up, for as long as planned, and
/// tells what came of it. The node's resolver must serve [`load::zones`].
pub async fn run(cluster: &Cluster, release: &Release, plan: &Plan, progress: &Progress) -> Result<Report> {
    progress.say(format!(
        "soak: {} changes a second for {} s, seed {}",
        plan.changes_a_second,
        plan.duration.as_secs(),
        plan.seed
    ));
    let client = cluster.client().await?;
    let hand = Hand::new(&client).await?;
    let kept = end::kept(&client, release).await?;
    let begun = Instant::now();
    let mut soak = Soak {
        plan,
        progress,
        release,
        begun,
        load: Load::start(load::SERVICE),
        vitals: Watch::start(&client, cluster.state(), begun),
        hand,
        changes: Changes::new(plan.seed, kept, plan.changes_a_second * SELDOM),
        client,
    };
    soak.change().await?;
    soak.finish(&AuditLog::new(cluster.audit_log().to_owned())).await
}

impl Soak<'_> {
    async fn change(&mut self) -> Result<()> {
        let mut ticks = interval(Duration::from_secs(1) / self.plan.changes_a_second);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut told = Instant::now();
        while self.begun.elapsed() < self.plan.duration {
            ticks.tick().await;
            let change = self.changes.draw();
            self.hand.carry_out(&change).await?;
            if told.elapsed() >= TELL_EVERY {
                told = Instant::now();
                self.tell();
            }
        }
        self.hand.carry_out(&self.changes.last()).await
    }

    fn tell(&self) {
        let (answered, failed) = self.load.counts();
        let vitals = self.vitals.seen();
        let resident = vitals.resident.last().map_or(0, |(_, resident)| *resident);
        self.progress.say(format!(
            "soak: {} changes, {answered} answers, {failed} failed; operator {resident} kB; {} DNS pods so far; {} restarts",
            self.hand.done().values().sum::<u32>(),
            vitals.dns_pods.len(),
            vitals.restarts.len(),
        ));
    }

    async fn finish(self, audit: &AuditLog) -> Result<Report> {
        let changed = self.begun.elapsed();
        self.progress
            .say("soak: no more changes; waiting until all is settled");
        let unsettled = self.settle().await?;
        let settled_after = self.begun.elapsed().saturating_sub(changed);
        self.tell();
        sleep(JUDGED).await;
        self.progress
            .say(format!("soak: nothing may happen for {} s", QUIET.as_secs()));
        let mark = audit.mark()?;
        sleep(QUIET).await;
        let at_rest = audit.since(mark, Sender::Operator)?;
        // What was settled must have stayed so.
        let mut differences = unsettled;
        if differences.is_empty() {
            differences = end::differences(&self.client, self.release).await?;
        }
        let lost_marks = self.hand.lost_marks().await?;
        let tally = self.load.finish().await.context("failed to ask questions")?;
        Ok(Report {
            seed: self.plan.seed,
            changed,
            done: self.hand.done().clone(),
            absences: self.hand.absences().to_vec(),
            wrong_changes: self.hand.wrong().to_vec(),
            tally,
            vitals: self.vitals.seen(),
            settled_after,
            differences,
            lost_marks,
            at_rest,
        })
    }

    /// Waits until nothing differs; what still does when the patience ends.
    async fn settle(&self) -> Result<Vec<String>> {
        let begun = Instant::now();
        loop {
            let differences = end::differences(&self.client, self.release).await?;
            if differences.is_empty() || begun.elapsed() > SETTLE {
                return Ok(differences);
            }
            sleep(Duration::from_secs(1)).await;
        }
    }
}
