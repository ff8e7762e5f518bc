//! Probes the upstreams of the configuration in force, and tells which of them fail.
//!
//! Each is asked over the transport that CoreDNS uses, from where the operator runs:
//! a way that is closed to a single node does not show. Nothing is changed for it.
//! Whom to ask is in [`target`], when in [`schedule`], what to think of it in
//! [`verdict`] and what to say in [`report`], all of them pure; [`probe`] asks.

pub mod failure;
pub mod probe;
pub mod report;
pub mod round;
pub mod schedule;
pub mod target;
mod tls;
pub mod verdict;

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use tokio::sync::watch as channel;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::metrics::Metrics;

use failure::Failure;
use report::Report;
use schedule::{Probe, Schedule};
use target::Target;
use verdict::{Verdict, Verdicts};

/// The end of those who want to know.
#[derive(Clone)]
pub struct Upstreams {
    targets: Arc<channel::Sender<Vec<Target>>>,
    verdicts: channel::Receiver<Verdicts>,
}

impl Upstreams {
    /// Has these probed from now on, and no others.
    pub fn follow(&self, targets: Vec<Target>) {
        self.targets.send_if_modified(|known| {
            let news = *known != targets;
            *known = targets;
            news
        });
    }

    /// What there is to say; `told` is what was said before.
    #[must_use]
    pub fn report(&self, told: &str) -> Report {
        Report::of(&self.targets.borrow(), &self.verdicts.borrow(), told)
    }

    /// Tells of every change of a verdict from now on.
    #[must_use]
    pub fn changes(&self) -> channel::Receiver<Verdicts> {
        self.verdicts.clone()
    }
}

/// The end that does the work.
pub struct Prober {
    targets: channel::Receiver<Vec<Target>>,
    verdicts: channel::Sender<Verdicts>,
    metrics: Arc<Metrics>,
    schedule: Schedule,
    probes: JoinSet<(Probe, Result<(), Failure>)>,
}

/// Both ends.
#[must_use]
pub fn channel(metrics: Arc<Metrics>) -> (Upstreams, Prober) {
    let (send_targets, targets) = channel::channel(Vec::new());
    let (verdicts, seen_verdicts) = channel::channel(Verdicts::new());
    let upstreams = Upstreams {
        targets: Arc::new(send_targets),
        verdicts: seen_verdicts,
    };
    let prober = Prober {
        targets,
        verdicts,
        metrics,
        schedule: Schedule::default(),
        probes: JoinSet::new(),
    };
    (upstreams, prober)
}

impl Prober {
    /// Probes for as long as this replica leads: two would be twice the load. Ends
    /// when the senders are gone.
    pub async fn run(mut self, mut leads: channel::Receiver<bool>) {
        loop {
            let leading = *leads.borrow_and_update();
            let work = async {
                if leading {
                    self.work().await;
                } else {
                    pending::<()>().await;
                }
            };
            let gone = tokio::select! {
                () = work => true,
                led = leads.wait_for(|now| *now != leading) => led.is_err(),
            };
            if gone {
                return;
            }
            self.forget();
        }
    }

    /// Another replica sees to it now, and this one knows nothing when its turn comes.
    fn forget(&mut self) {
        self.probes = JoinSet::new();
        self.schedule.follow(&[], Timestamp::now(), &mut rand::rng());
        self.publish();
    }

    /// Comes back when nobody can want anything any more.
    async fn work(&mut self) {
        self.targets.mark_changed();
        loop {
            let due = self.start_due(Timestamp::now());
            tokio::select! {
                changed = self.targets.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    self.follow(Timestamp::now());
                }
                Some(ended) = self.probes.join_next() => {
                    // Only a defect ends one otherwise; its target is not asked again.
                    if let Ok((probe, outcome)) = ended {
                        self.done(&probe, outcome, Timestamp::now());
                    }
                }
                () = sleep_until(due) => {}
            }
        }
    }

    fn follow(&mut self, now: Timestamp) {
        let targets = self.targets.borrow_and_update();
        self.schedule.follow(&targets, now, &mut rand::rng());
        drop(targets);
        self.publish();
    }

    /// Starts what is due, and tells when there is more.
    fn start_due(&mut self, now: Timestamp) -> Option<Timestamp> {
        if let Some(due) = self.schedule.take_due(now) {
            self.probes.spawn(async move {
                let outcome = probe::probe(&due.endpoint, &due.question).await;
                (due, outcome)
            });
        }
        self.schedule.next_due()
    }

    fn done(&mut self, probe: &Probe, outcome: Result<(), Failure>, now: Timestamp) {
        self.metrics.probed(outcome.as_ref().err());
        if let Err(failure) = &outcome {
            tracing::debug!(upstream = %probe.endpoint, question = %probe.question, %failure, "an upstream fails");
        }
        if self.schedule.done(probe, outcome, now, &mut rand::rng()) {
            self.publish();
        }
    }

    fn publish(&self) {
        let mut verdicts = self.schedule.verdicts();
        // That there is somebody to ask wakes nobody.
        verdicts.retain(|_, verdict| *verdict != Verdict::Unknown);
        self.metrics.upstreams(&verdicts);
        self.verdicts.send_if_modified(|known| {
            let news = *known != verdicts;
            *known = verdicts;
            news
        });
    }
}

/// Sleeps until then, or for ever.
async fn sleep_until(time: Option<Timestamp>) {
    match time {
        Some(time) => {
            let wait = Timestamp::now().duration_until(time);
            sleep(Duration::try_from(wait).unwrap_or_default()).await;
        }
        None => pending().await,
    }
}
