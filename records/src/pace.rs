//! How often an account at a provider is called, by all that use it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// The longest pause that is believed: no answer stops us for ever.
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

/// How often an account may be called: a token bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Calls at once after a rest; none is taken for one.
    pub burst: u32,
    /// Calls in `period` for ever; none is taken for one.
    pub calls: u32,
    /// The time for that; none is without bound.
    pub period: Duration,
}

/// The turns of an account. Shared by all its zones, for reading and for writing.
#[derive(Debug)]
pub struct Pace {
    /// The time that a token takes to come back.
    step: Duration,
    /// The same for all tokens but one.
    slack: Duration,
    /// When all tokens are back; none before the first call. Whoever waits holds it, so
    /// that turns are taken in the order in which they were asked for.
    full: tokio::sync::Mutex<Option<Instant>>,
    /// Until when nobody calls.
    paused: Mutex<Option<Instant>>,
}

impl Pace {
    /// All tokens are there.
    #[must_use]
    pub fn new(rate: Rate) -> Self {
        let step = rate.period / rate.calls.max(1);
        Self {
            step,
            slack: step.saturating_mul(rate.burst.max(1) - 1),
            full: tokio::sync::Mutex::default(),
            paused: Mutex::default(),
        }
    }

    /// Waits until the next call may be made. Who gives up waiting has taken no turn.
    pub async fn turn(&self) {
        let mut full = self.full.lock().await;
        loop {
            let now = Instant::now();
            let token = full.and_then(|full| full.checked_sub(self.slack));
            let pause = *self.paused();
            let wait = token.into_iter().chain(pause).max().filter(|until| *until > now);
            let Some(until) = wait else {
                *full = full.unwrap_or(now).max(now).checked_add(self.step);
                return;
            };
            // The pause may be longer by then.
            sleep_until(until).await;
        }
    }

    /// Nobody calls before this time has passed: the provider said so. More than an hour is
    /// taken for an hour.
    pub fn pause(&self, time: Duration) {
        let until = Instant::now() + time.min(LONGEST_PAUSE);
        let mut paused = self.paused();
        *paused = Some(paused.map_or(until, |paused| paused.max(until)));
    }

    fn paused(&self) -> MutexGuard<'_, Option<Instant>> {
        self.paused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
