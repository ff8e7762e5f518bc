//! Changes to a zone, and what comes of them.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Endpoint, Name, ProviderError};

/// One wanted change to a record set. The old side is what the zone is believed to hold,
/// to the letter: a provider compares it with what is there before it writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    /// A record set that must not be there yet.
    Create(Endpoint),
    /// A record set that becomes another one of the same key.
    Update {
        /// What is there.
        old: Endpoint,
        /// What is wanted instead.
        new: Endpoint,
    },
    /// A record set that goes.
    Delete(Endpoint),
}

/// Changes that belong together: a name's record sets and what tells who owns them. A
/// provider makes all of them or none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// The name that the group is for. Its ownership records may have other names.
    pub name: Name,
    /// The changes, of keys that all differ.
    pub changes: Vec<Change>,
}

/// What came of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All of it is in the zone.
    Applied {
        /// The record sets that were written as the zone lists them from now on; none
        /// if they are listed as they were sent.
        written: Option<Vec<Endpoint>>,
    },
    /// Nothing of it was written, and it will not be as it is.
    Rejected {
        /// In the provider's own words.
        reason: String,
    },
    /// Nothing of it was written: the zone does not hold what was believed. The names
    /// are to be read again.
    Conflict {
        /// In the provider's own words.
        reason: String,
    },
    /// It was not tried, for reasons that pass: nothing of it was written.
    Postponed {
        /// In the provider's own words.
        reason: String,
        /// Whether the provider has been called too often.
        throttled: bool,
        /// When it may be tried again, if the provider said so.
        retry_after: Option<Duration>,
    },
    /// Nobody knows whether it was written. The names are to be read again.
    Unknown {
        /// What happened.
        reason: String,
    },
}

impl Outcome {
    /// Of a group that is not tried, though nobody has been called too often.
    pub fn postponed(reason: impl Into<String>) -> Self {
        Self::Postponed {
            reason: reason.into(),
            throttled: false,
            retry_after: None,
        }
    }

    /// Of a group that is not tried because of what a provider answered before.
    pub fn postponed_by(error: &ProviderError, reason: impl Into<String>) -> Self {
        let (throttled, retry_after) = match error {
            ProviderError::Throttled { retry_after, .. } => (true, *retry_after),
            _ => (false, None),
        };
        Self::Postponed {
            reason: reason.into(),
            throttled,
            retry_after,
        }
    }
}

impl Change {
    /// The side that the zone is believed to hold.
    #[must_use]
    pub fn before(&self) -> Option<&Endpoint> {
        match self {
            Self::Create(_) => None,
            Self::Update { old, .. } | Self::Delete(old) => Some(old),
        }
    }

    /// The side that the zone is to hold.
    #[must_use]
    pub fn after(&self) -> Option<&Endpoint> {
        match self {
            Self::Create(new) | Self::Update { new, .. } => Some(new),
            Self::Delete(_) => None,
        }
    }
}

impl Group {
    /// Whether any record set goes or is overwritten.
    #[must_use]
    pub fn destroys(&self) -> bool {
        self.changes.iter().any(|change| change.before().is_some())
    }
}
