//! The time, as an argument.

use std::time::{Duration, Instant, SystemTime};

/// Tells the time: one that only goes forward, for ages, and that of the wall, for what
/// is kept beyond the life of the process.
pub trait Clock: Send + Sync {
    /// Since some moment in the life of the process; never goes back.
    fn monotonic(&self) -> Duration;

    /// Since 1970, UTC; may jump.
    fn wall(&self) -> Duration;
}

/// The clock of the machine.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    start: Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self {
            start: Instant::now(),
        }
    }
}

impl Clock for SystemClock {
    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }

    fn wall(&self) -> Duration {
        SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default()
    }
}
