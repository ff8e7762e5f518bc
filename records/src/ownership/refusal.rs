//! Changes that ownership does not let pass.

use std::fmt;

use thiserror::Error;

use super::{InvalidLabel, NotSealed};
use crate::{Change, InvalidName, Name};

/// A change that is in no group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// The change; for a repair, an update of the record to itself.
    pub change: Change,
    /// Why.
    pub reason: Refusal,
}

/// Why a change is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The record has no name.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// The ownership record would have no name.
    #[error("the name of its ownership record is none: {0}")]
    TxtName(#[source] InvalidName),
    /// A label cannot be written.
    #[error(transparent)]
    Label(#[from] InvalidLabel),
    /// The ownership text cannot be encrypted.
    #[error(transparent)]
    NotSealed(#[from] NotSealed),
    /// The text is one that tells who owns a record.
    #[error("its text is that of an ownership record, which only the registry writes")]
    Reserved,
    /// The record is not known to be ours.
    #[error("{name} is not known to be of the owner {owner:?}")]
    NotOurs {
        /// The name of the record.
        name: Name,
        /// Our id.
        owner: Box<str>,
    },
    /// The ownership record is there already, and is not ours.
    #[error("its ownership record {txt} names the owner {owner:?}")]
    Claimed {
        /// The name of the ownership record.
        txt: Name,
        /// Whom it names; empty for nobody.
        owner: Box<str>,
    },
    /// Another record has the same ownership record.
    #[error("its ownership record {0} would be that of another record, too")]
    Shared(Name),
    /// Something else has the name of the ownership record.
    #[error("its ownership record would have the name {0}, which has other records")]
    Taken(Name),
    /// Another change of its name is refused.
    #[error("it waits for another change of its name, which is refused")]
    HeldBack,
}

impl fmt::Display for Rejected {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(endpoint) = self.change.after().or(self.change.before()) {
            write!(formatter, "{} {}: ", endpoint.dns_name, endpoint.record_type)?;
        }
        self.reason.fmt(formatter)
    }
}
