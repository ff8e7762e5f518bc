//! When an account is asked for its zones, and what it said last.

use std::sync::Arc;
use std::time::Duration;

use records::{ProviderError, Zone};

/// The first pause after a failure; each one after that is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(5);

/// What is known of the zones of an account. Times are since any fixed moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// The zones as they were listed last, by the process before this one too; none if they
    /// never were.
    pub zones: Option<Arc<[Zone]>>,
    /// Why they could not be listed the last time; none if they could.
    pub failure: Option<ProviderError>,
    /// Whether the account has said anything yet.
    pub is_answered: bool,
    /// How often in a row they could not.
    failures: u32,
    /// When they are to be listed next.
    due: Duration,
}

impl Listing {
    /// Nothing is known but what was kept, and the account is to be asked at once.
    #[must_use]
    pub fn new(kept: Option<Arc<[Zone]>>, now: Duration) -> Self {
        Self {
            zones: kept,
            due: now,
            ..Self::default()
        }
    }

    /// When the zones are to be listed next.
    #[must_use]
    pub fn due(&self) -> Duration {
        self.due
    }

    /// Has the account be asked at once, unless it wants to be left alone.
    pub fn hasten(&mut self, now: Duration) {
        if !matches!(self.failure, Some(ProviderError::Throttled { .. })) {
            self.due = self.due.min(now);
        }
    }

    /// Takes in what the account said: it is asked again after `interval`, after a failure
    /// sooner, but not before it wants to be asked. What was known before a failure stays.
    pub fn take(&mut self, listed: Result<Vec<Zone>, ProviderError>, now: Duration, interval: Duration) {
        self.is_answered = true;
        let pause = match listed {
            Ok(zones) => {
                self.zones = Some(zones.into());
                self.failure = None;
                self.failures = 0;
                interval
            }
            Err(failure) => {
                let pause = FIRST_PAUSE
                    .saturating_mul(2_u32.saturating_pow(self.failures))
                    .min(interval);
                let asked = match &failure {
                    ProviderError::Throttled { retry_after, .. } => retry_after.unwrap_or_default(),
                    _ => Duration::ZERO,
                };
                self.failures = self.failures.saturating_add(1);
                self.failure = Some(failure);
                pause.max(asked)
            }
        };
        self.due = now.saturating_add(pause);
    }
}
