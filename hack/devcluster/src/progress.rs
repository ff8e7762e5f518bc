//! Telling the person at the terminal what goes on.

use std::fmt::Display;
use std::time::{Duration, Instant};

/// Writes each step to standard error, with the seconds since the beginning.
#[derive(Debug, Clone)]
pub struct Progress {
    begun: Instant,
    quiet: bool,
}

impl Progress {
    /// Progress that is shown.
    #[must_use]
    pub fn shown() -> Self {
        Self {
            begun: Instant::now(),
            quiet: false,
        }
    }

    /// Progress that nobody sees, for tests that start many clusters.
    #[must_use]
    pub fn hidden() -> Self {
        Self {
            begun: Instant::now(),
            quiet: true,
        }
    }

    /// Tells one step.
    pub fn say(&self, step: impl Display) {
        if !self.quiet {
            eprintln!("{:>6.1}s  {step}", self.begun.elapsed().as_secs_f64());
        }
    }

    /// The time since the beginning.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }
}
