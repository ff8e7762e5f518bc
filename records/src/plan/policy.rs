//! Which kinds of changes are made.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};
use thiserror::Error;

/// Which kinds of changes are made (external-dns's `--policy`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Policy {
    /// All.
    Sync,
    /// Records are created and updated. They are deleted only to make room for a wanted
    /// record of another type, such as a CNAME for an address; external-dns makes no room
    /// and has such a creation refused for ever.
    UpsertOnly,
    /// Records are created where nothing stands in their way.
    CreateOnly,
}

/// A name that no policy has.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the policy {0:?} is none of: sync, upsert-only, create-only")]
pub struct InvalidPolicy(String);

impl Policy {
    fn name(self) -> &'static str {
        match self {
            Self::Sync => "sync",
            Self::UpsertOnly => "upsert-only",
            Self::CreateOnly => "create-only",
        }
    }
}

impl FromStr for Policy {
    type Err = InvalidPolicy;

    fn from_str(text: &str) -> Result<Self, InvalidPolicy> {
        [Self::Sync, Self::UpsertOnly, Self::CreateOnly]
            .into_iter()
            .find(|policy| policy.name() == text)
            .ok_or_else(|| InvalidPolicy(text.to_owned()))
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl Serialize for Policy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
