//! What became of batches, counted: for people, and for metrics.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use super::Submission;

/// What a provider answers to a batch, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Answer {
    /// [`Submission::Applied`].
    Applied,
    /// [`Submission::Refused`].
    Refused,
    /// [`Submission::Oversized`].
    Oversized,
    /// [`Submission::Throttled`].
    Throttled,
    /// [`Submission::Postponed`].
    Postponed,
    /// [`Submission::Unknown`].
    Unknown,
}

/// What has happened since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Batches that were sent, those of one group among them, by what was answered.
    pub batches: BTreeMap<Answer, u64>,
    /// Batches that were cut in two because they were refused.
    pub splits: u64,
    /// Groups that were not sent because they were refused not long ago.
    pub held_back: u64,
    /// Waits because the provider was called too often.
    pub waits: u64,
    /// How long these were.
    pub waited: Duration,
    /// Groups that are remembered as refused, now.
    pub quarantined: usize,
}

/// Counters that are counted up.
#[derive(Debug, Default)]
pub(super) struct Counting(Mutex<Counters>);

impl Answer {
    /// All of them, in the order of their declaration.
    pub const ALL: [Self; 6] = [
        Self::Applied,
        Self::Refused,
        Self::Oversized,
        Self::Throttled,
        Self::Postponed,
        Self::Unknown,
    ];

    /// Its name in metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Refused => "refused",
            Self::Oversized => "oversized",
            Self::Throttled => "throttled",
            Self::Postponed => "postponed",
            Self::Unknown => "unknown",
        }
    }
}

impl From<&Submission> for Answer {
    fn from(submission: &Submission) -> Self {
        match submission {
            Submission::Applied(_) => Self::Applied,
            Submission::Refused { .. } => Self::Refused,
            Submission::Oversized { .. } => Self::Oversized,
            Submission::Throttled { .. } => Self::Throttled,
            Submission::Postponed { .. } => Self::Postponed,
            Submission::Unknown { .. } => Self::Unknown,
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl Counters {
    /// Batches that were sent.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.batches.values().sum()
    }

    /// Batches that were answered so.
    #[must_use]
    pub fn answered(&self, answer: Answer) -> u64 {
        self.batches.get(&answer).copied().unwrap_or_default()
    }
}

impl Counting {
    /// Counts something.
    pub fn count(&self, count: impl FnOnce(&mut Counters)) {
        count(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// The counters now, with how many groups are remembered.
    pub fn read(&self, quarantined: usize) -> Counters {
        let counters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Counters {
            quarantined,
            ..counters.clone()
        }
    }
}
