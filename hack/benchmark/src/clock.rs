//! A clock for what cannot be waited for.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use records::cache::Clock;

/// A clock that is set by hand, in whole seconds.
#[derive(Default)]
pub struct Simulated(AtomicU64);

impl Simulated {
    /// Sets it ahead.
    pub fn advance(&self, time: Duration) {
        self.0.fetch_add(time.as_secs(), Ordering::Relaxed);
    }
}

impl Clock for Simulated {
    fn monotonic(&self) -> Duration {
        Duration::from_secs(self.0.load(Ordering::Relaxed))
    }

    fn wall(&self) -> Duration {
        Duration::from_secs(1_700_000_000) + self.monotonic()
    }
}
