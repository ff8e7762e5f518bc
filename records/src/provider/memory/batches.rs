//! Batches: each is written whole or not at all.

use futures::FutureExt;
use futures::future::BoxFuture;

use super::faults::{self, FaultKind};
use super::{Memory, Operation, State};
use crate::batch::packing::Bounds;
use crate::batch::{Dispatcher, Limits, Submission, Submit, Weight};
use crate::{Group, Outcome, Zone};

/// Which bad groups of a batch are named. That of a batch of one always is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Naming {
    /// None of them.
    #[default]
    Nobody,
    /// The first one.
    First,
    /// Each of them.
    All,
}

/// How batches are taken.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Till {
    naming: Naming,
    /// What it says that a batch may weigh.
    told: Limits,
    /// What a batch may weigh.
    held: Limits,
}

impl Memory {
    /// Takes changes in batches, as this dispatcher cuts them.
    #[must_use]
    pub fn with_dispatcher(mut self, dispatcher: Dispatcher) -> Self {
        self.dispatcher = Some(dispatcher);
        self
    }

    /// Says that a batch may weigh what is `told`, until one has weighed more than what is
    /// `held`.
    pub fn set_limits(&self, told: Limits, held: Limits) {
        let till = &mut self.state().till;
        (till.told, till.held) = (told, held);
    }

    /// Which bad groups of a batch it names from now on.
    pub fn set_naming(&self, naming: Naming) {
        self.state().till.naming = naming;
    }

    async fn take(&self, zone: &Zone, batch: &[&Group]) -> Submission {
        self.calls().count(Operation::Apply);
        let faults = self.state().due(Operation::Apply);
        faults::wait(&faults).await;
        if let Some(submission) = faults.iter().find_map(FaultKind::submission) {
            return submission;
        }
        let lost = faults.iter().find_map(FaultKind::written);
        let submission = if lost == Some(0) {
            None
        } else {
            Some(self.state().take(zone, batch))
        };
        // A writer that is stopped here has written, and does not know it.
        tokio::task::yield_now().await;
        match submission {
            Some(submission) if lost.is_none() => submission,
            _ => Submission::Unknown {
                reason: "the reply was lost".to_owned(),
            },
        }
    }
}

impl Submit for Memory {
    fn limits(&self, _: &Zone) -> Limits {
        self.state().till.told
    }

    fn weigh(&self, _: &Zone, group: &Group) -> Result<Weight, Outcome> {
        Ok(weight(group))
    }

    fn submit<'a>(&'a self, zone: &'a Zone, batch: &'a [&'a Group]) -> BoxFuture<'a, Submission> {
        self.take(zone, batch).boxed()
    }
}

impl State {
    fn take(&mut self, zone: &Zone, batch: &[&Group]) -> Submission {
        let weights = batch.iter().map(|group| weight(group));
        let weight = weights.fold(Weight::default(), Weight::plus);
        if let Some(excess) = Bounds::new(usize::MAX, self.till.held).excess(weight) {
            self.till.told = self.till.held;
            return Submission::Oversized {
                reason: format!("{} {} are too many", excess.weight, excess.unit),
            };
        }
        let mut trial = self.clone();
        let (mut written, mut bad) = (Vec::new(), Vec::new());
        for (place, group) in batch.iter().enumerate() {
            match trial.apply_group(zone, group) {
                Outcome::Applied { written: records } => written.push(records),
                outcome => bad.push((place, outcome)),
            }
        }
        if bad.is_empty() {
            *self = trial;
            return Submission::Applied(written);
        }
        let reason = match &bad[0].1 {
            Outcome::Rejected { reason } | Outcome::Conflict { reason } => reason.clone(),
            other => format!("{other:?}"),
        };
        match self.till.naming {
            Naming::Nobody if batch.len() > 1 => bad.clear(),
            Naming::First => bad.truncate(1),
            Naming::Nobody | Naming::All => {}
        }
        Submission::Refused { reason, named: bad }
    }
}

fn weight(group: &Group) -> Weight {
    let sides = group
        .changes
        .iter()
        .map(|change| change.after().or(change.before()));
    let targets = || sides.clone().flatten().flat_map(|side| &side.targets);
    Weight {
        operations: group.changes.len(),
        octets: targets().map(|target| target.len()).sum(),
        values: targets().count(),
    }
}
