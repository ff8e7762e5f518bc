//! What takes batches, by a script; and the words of the tests.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use records::batch::{Dispatcher, Limits, Settings, Submission, Submit, Weight};
use records::{Change, Group, Name, Outcome, Zone};
use tokio::time::Instant;

use crate::cache::world::{HandClock, a, create, name, zone};

/// Takes batches as it is told.
pub struct Desk {
    pub zone: Zone,
    pub clock: Arc<HandClock>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    bad: BTreeSet<Name>,
    weights: BTreeMap<Name, usize>,
    limits: Limits,
    script: VecDeque<Submission>,
    calls: Vec<Call>,
    start: Option<Instant>,
}

/// A call: when, and with what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub at: Duration,
    pub names: Vec<Name>,
}

impl Desk {
    /// Refuses groups of these numbers, in words about the first one of a batch.
    pub fn refusing(bad: impl IntoIterator<Item = usize>) -> Self {
        let desk = Self {
            zone: zone("example.com"),
            clock: Arc::default(),
            state: Mutex::default(),
        };
        desk.refuse(bad);
        desk
    }

    /// Answers the next calls so, and takes all others.
    pub fn answering(script: impl IntoIterator<Item = Submission>) -> Self {
        let desk = Self::refusing([]);
        desk.state().script.extend(script);
        desk
    }

    /// Refuses groups of these numbers from now on.
    pub fn refuse(&self, bad: impl IntoIterator<Item = usize>) {
        self.state().bad = bad.into_iter().map(number).collect();
    }

    pub fn answer(&self, submission: Submission) {
        self.state().script.push_back(submission);
    }

    pub fn limit(&self, limits: Limits) {
        self.state().limits = limits;
    }

    /// How many operations a group is; one if nothing is said.
    pub fn weigh(&self, group: usize, operations: usize) {
        self.state().weights.insert(number(group), operations);
    }

    /// The calls since this was last asked.
    pub fn calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.state().calls)
    }

    /// How many groups each call had, since this was last asked.
    pub fn sizes(&self) -> Vec<usize> {
        self.calls().iter().map(|call| call.names.len()).collect()
    }

    pub fn dispatcher(&self, size: usize) -> Dispatcher {
        let settings = Settings {
            size,
            ..Settings::default()
        };
        Dispatcher::new(settings).with_clock(self.clock.clone())
    }

    pub async fn apply(&self, dispatcher: &Dispatcher, groups: &[Group]) -> Vec<Outcome> {
        let outcomes = dispatcher.apply(self, &self.zone, groups).await;
        assert_eq!(outcomes.len(), groups.len());
        outcomes
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl Submit for Desk {
    fn limits(&self, _: &Zone) -> Limits {
        self.state().limits
    }

    fn weigh(&self, _: &Zone, group: &Group) -> Result<Weight, Outcome> {
        if group.changes.is_empty() {
            let reason = "nothing changes".to_owned();
            return Err(Outcome::Rejected { reason });
        }
        Ok(Weight {
            operations: self.state().weights.get(&group.name).copied().unwrap_or(1),
            ..Weight::default()
        })
    }

    fn submit<'a>(&'a self, _: &'a Zone, batch: &'a [&'a Group]) -> BoxFuture<'a, Submission> {
        async move {
            // An answer takes a while.
            tokio::task::yield_now().await;
            let mut state = self.state();
            let now = Instant::now();
            let at = now - *state.start.get_or_insert(now);
            let names: Vec<Name> = batch.iter().map(|group| group.name.clone()).collect();
            let bad = names.iter().find(|name| state.bad.contains(name));
            let answer = bad.map_or_else(
                || Submission::Applied(vec![None; names.len()]),
                |name| refused(&format!("{name} is not taken"), []),
            );
            state.calls.push(Call { at, names });
            state.script.pop_front().unwrap_or(answer)
        }
        .boxed()
    }
}

pub fn number(number: usize) -> Name {
    name(&format!("n{number}.example.com"))
}

/// A group of this number.
pub fn group(number: usize) -> Group {
    create(a(&format!("n{number}.example.com"), "192.0.2.1"))
}

/// The same, with other content.
pub fn changed(number: usize) -> Group {
    create(a(&format!("n{number}.example.com"), "192.0.2.2"))
}

pub fn groups(count: usize) -> Vec<Group> {
    (0..count).map(group).collect()
}

/// A group that cannot be sent.
pub fn empty(number: usize) -> Group {
    let changes: Vec<Change> = Vec::new();
    Group {
        changes,
        ..group(number)
    }
}

pub fn refused(reason: &str, named: impl IntoIterator<Item = (usize, Outcome)>) -> Submission {
    Submission::Refused {
        reason: reason.to_owned(),
        named: named.into_iter().collect(),
    }
}

pub fn rejected(reason: &str) -> Outcome {
    let reason = reason.to_owned();
    Outcome::Rejected { reason }
}

pub fn throttled(retry_after: Option<u64>) -> Submission {
    Submission::Throttled {
        reason: "too many calls".to_owned(),
        retry_after: retry_after.map(Duration::from_secs),
    }
}

pub fn lost() -> Submission {
    let reason = "the answer was lost".to_owned();
    Submission::Unknown { reason }
}

pub fn oversized() -> Submission {
    let reason = "too many operations".to_owned();
    Submission::Oversized { reason }
}

/// The reason of an outcome; of one that was applied none.
pub fn reason(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Applied { .. } => "",
        Outcome::Rejected { reason }
        | Outcome::Conflict { reason }
        | Outcome::Postponed { reason, .. }
        | Outcome::Unknown { reason } => reason,
    }
}

/// The outcomes by their first letters: Applied, Rejected, Conflict, Postponed, Unknown.
pub fn letters(outcomes: &[Outcome]) -> String {
    let letter = |outcome: &Outcome| match outcome {
        Outcome::Applied { .. } => 'A',
        Outcome::Rejected { .. } => 'R',
        Outcome::Conflict { .. } => 'C',
        Outcome::Postponed { .. } => 'P',
        Outcome::Unknown { .. } => 'U',
    };
    outcomes.iter().map(letter).collect()
}
