//! How long a pass waits for a provider that has been called too often.

use std::time::Duration;

/// The longest that a pass over a zone waits in all. What is left then comes with the next
/// pass: until then somebody is told why.
const MOST: Duration = Duration::from_secs(30);
/// The least wait; it doubles each time that a batch is put off again.
const LEAST: Duration = Duration::from_secs(1);

/// What is left of the waiting time of a pass.
#[derive(Debug)]
pub(super) struct Patience {
    left: Duration,
    least: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            left: MOST,
            least: LEAST,
        }
    }
}

impl Patience {
    /// How long to wait before a batch is sent again, where the provider may have told
    /// when; none if that is too long.
    pub fn wait(&mut self, told: Option<Duration>) -> Option<Duration> {
        let wait = told.unwrap_or_default().max(self.least);
        self.left = self.left.checked_sub(wait)?;
        self.least *= 2;
        Some(wait)
    }

    /// The provider has taken a call.
    pub fn taken(&mut self) {
        self.least = LEAST;
    }
}
