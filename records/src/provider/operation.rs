//! What a provider is asked for, counted.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// A call of the trait [`Provider`](crate::Provider).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// The zones were listed.
    Zones,
    /// A whole zone was read.
    Read,
    /// Some names were read.
    ReadNames,
    /// It was asked what has changed.
    Confirm,
    /// Changes were made.
    Apply,
    /// Wanted records were adjusted.
    Adjust,
}

impl Operation {
    /// All of them, in the order of their declaration.
    pub const ALL: [Self; 6] = [
        Self::Zones,
        Self::Read,
        Self::ReadNames,
        Self::Confirm,
        Self::Apply,
        Self::Adjust,
    ];

    /// Its name in metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Zones => "zones",
            Self::Read => "read",
            Self::ReadNames => "read_names",
            Self::Confirm => "confirm",
            Self::Apply => "apply",
            Self::Adjust => "adjust",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// How often each operation was called.
#[derive(Debug, Default)]
pub struct Calls([AtomicU64; Operation::ALL.len()]);

impl Calls {
    /// Counts one more call.
    pub fn count(&self, operation: Operation) {
        self.0[operation as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// The calls so far.
    #[must_use]
    pub fn of(&self, operation: Operation) -> u64 {
        self.0[operation as usize].load(Ordering::Relaxed)
    }
}
