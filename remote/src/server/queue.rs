//! The changes that wait for a zone. Namespaces take turns, one group each, and each batch
//! takes from all of them: who has a single change waits for one batch at most, whatever
//! others have in store. The cache makes one batch of a zone at a time.

mod schedule;
mod work;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use records::Outcome;
use thiserror::Error;
use tokio::sync::{mpsc, watch};

pub use self::schedule::Waiting;
use self::schedule::{Answer, Schedule};
pub use self::work::Work;
use super::status::{GOING_DOWN, SOON};

/// The bounds of what an overloaded client is told to wait.
const DELAYS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// How much may wait, and how much is made at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The changes with which a batch is full.
    pub batch: usize,
    /// The most groups of one namespace that wait for a zone.
    pub waiting_of_one: usize,
    /// The most groups that wait for a zone.
    pub waiting: usize,
}

/// More would wait than may.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{waiting} groups of changes would wait for the zone; at most {most} may")]
pub struct Overload {
    /// How many would wait.
    pub waiting: usize,
    /// How many may.
    pub most: usize,
    /// When to come again.
    pub retry_after: Duration,
}

/// The changes that wait for a zone.
pub(super) struct Queue {
    limits: Limits,
    state: Mutex<State>,
    /// Whether somebody works it off.
    is_worked: watch::Sender<bool>,
}

#[derive(Default)]
struct State {
    schedule: Schedule,
    /// How long the last batch took.
    batch_time: Duration,
    /// Whether nothing is begun any more.
    is_closed: bool,
}

/// The answers that a client waits for.
pub(super) struct Answers {
    receiver: mpsc::UnboundedReceiver<Answer>,
    outcomes: Vec<Option<Outcome>>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            batch: 100,
            waiting_of_one: 20_000,
            waiting: 100_000,
        }
    }
}

impl Queue {
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            state: Mutex::default(),
            is_worked: watch::Sender::new(false),
        }
    }

    /// Puts changes at the end of what waits of a namespace. Whether somebody must begin
    /// to work it off.
    pub fn push(&self, namespace: &str, works: Vec<Work>) -> Result<(Answers, bool), Overload> {
        let mut state = self.state();
        if state.is_closed {
            return Ok((Answers::postponed(works.len()), false));
        }
        let of_one = state.schedule.waiting_of(namespace) + works.len();
        let of_all = state.schedule.waiting() + works.len();
        let bounds = [
            (of_one, self.limits.waiting_of_one),
            (of_all, self.limits.waiting),
        ];
        if let Some((waiting, most)) = bounds.into_iter().find(|(waiting, most)| waiting > most) {
            let batches = waiting.div_ceil(self.limits.batch.max(1));
            let time = state
                .batch_time
                .saturating_mul(u32::try_from(batches).unwrap_or(u32::MAX));
            return Err(Overload {
                waiting,
                most,
                retry_after: time.clamp(DELAYS.0, DELAYS.1),
            });
        }
        let (sender, receiver) = mpsc::unbounded_channel();
        let outcomes = vec![None; works.len()];
        state.schedule.push(namespace, works, &sender);
        let must_start = !self.is_worked.send_replace(true);
        Ok((Answers { receiver, outcomes }, must_start))
    }

    /// The next batch; none if nothing waits any more.
    pub fn next(&self) -> Option<Vec<Waiting>> {
        let mut state = self.state();
        let batch = state.schedule.batch(self.limits.batch.max(1));
        if batch.is_empty() {
            self.is_worked.send_replace(false);
            return None;
        }
        Some(batch)
    }

    /// Begins nothing more: what waits is answered as postponed, and so is what comes.
    pub fn close(&self) {
        let waiting = {
            let mut state = self.state();
            state.is_closed = true;
            state.schedule.take()
        };
        for waiting in waiting {
            waiting.answer(postponed());
        }
    }

    /// Takes note of how long a batch took.
    pub fn took(&self, time: Duration) {
        self.state().batch_time = time;
    }

    /// Waits until nobody works it off.
    pub async fn idle(&self) {
        let mut is_worked = self.is_worked.subscribe();
        // The sender is as old as the queue.
        let _idle = is_worked.wait_for(|is_worked| !is_worked).await.is_ok();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The answer to what is not begun because the server is going down.
fn postponed() -> Outcome {
    Outcome::Postponed {
        reason: GOING_DOWN.to_owned(),
        throttled: false,
        retry_after: Some(SOON),
    }
}

impl Answers {
    /// So many that are known already: nothing is begun.
    fn postponed(count: usize) -> Self {
        let (_, receiver) = mpsc::unbounded_channel();
        let outcomes = vec![Some(postponed()); count];
        Self { receiver, outcomes }
    }

    /// Waits for all of them.
    pub async fn all(mut self) -> Vec<Outcome> {
        while let Some((place, outcome)) = self.receiver.recv().await {
            if let Some(slot) = self.outcomes.get_mut(place) {
                *slot = Some(outcome);
            }
        }
        let missing = || Outcome::Unknown {
            reason: GOING_DOWN.to_owned(),
        };
        self.outcomes
            .into_iter()
            .map(|outcome| outcome.unwrap_or_else(missing))
            .collect()
    }
}
