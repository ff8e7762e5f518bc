//! What keeps zones: DNS servers and services.

pub mod cloudflare;
mod http_client;
pub mod memory;
mod operation;
mod paced;
pub mod rfc2136;
pub mod route53;
mod set_identifiers;
pub mod webhook;

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::BoxFuture;
use thiserror::Error;

pub use self::operation::{Calls, Operation};
pub use self::paced::Paced;
use crate::batch::Counters;
use crate::{DomainFilter, Endpoint, Group, Name, Outcome, Zone, ZoneRecords, ZoneVersion};

/// A DNS server or service whose zones are kept.
///
/// Every record that it hands out is canonical: what [`Provider::adjust`] makes of a
/// wanted record is how the zone lists it once it is written.
pub trait Provider: Send + Sync {
    /// What it is called in messages and metrics, such as `rfc2136`.
    fn name(&self) -> &'static str;

    /// The zones that it serves.
    fn zones(&self) -> BoxFuture<'_, Result<Vec<Zone>, ProviderError>>;

    /// Reads a whole zone. A list that was cut off is an error, never a small zone.
    fn read<'a>(&'a self, zone: &'a Zone) -> BoxFuture<'a, Result<ZoneRecords, ProviderError>>;

    /// Reads what stands at some names now, all types of them.
    fn read_names<'a>(
        &'a self,
        zone: &'a Zone,
        names: &'a [Name],
    ) -> BoxFuture<'a, Result<Vec<Endpoint>, ProviderError>>;

    /// Finds out what has changed since the zone was `known`, for less than a full read.
    fn confirm<'a>(
        &'a self,
        zone: &'a Zone,
        known: &'a ZoneRecords,
    ) -> BoxFuture<'a, Result<Confirmation, ProviderError>>;

    /// Makes the changes of each group, all or none of a group, if the zone holds what
    /// the changes believe; one outcome for each group, in their order.
    fn apply<'a>(&'a self, zone: &'a Zone, groups: &'a [Group]) -> BoxFuture<'a, Vec<Outcome>>;

    /// Wanted records as the zones would list them.
    fn adjust(&self, wanted: Vec<Endpoint>) -> BoxFuture<'_, Result<Vec<Endpoint>, ProviderError>>;

    /// Whether [`Provider::confirm`] holds all that is known beside all that the zone holds,
    /// as a full read would ([`Confirmation::Compared`]): then no zone is read whole for its
    /// age.
    fn compares(&self) -> bool {
        false
    }

    /// Which names of a zone are kept: those that all of these take. Records at others are
    /// left alone.
    fn domain_filters(&self, _zone: &Zone) -> Vec<DomainFilter> {
        Vec::new()
    }

    /// What became of its batches since the start; none of one that takes none.
    fn batches(&self) -> Option<Counters> {
        None
    }
}

/// What a provider found out about a zone without reading all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Confirmation {
    /// The zone is what it was.
    Same,
    /// Some names were touched since the version that is known, and these are all: also
    /// those at which there is what is known. A name that was written since and is not
    /// among them has been written by somebody else, too.
    Changed {
        /// All record sets of each of the names; none of a name that is gone.
        names: BTreeMap<Name, Vec<Endpoint>>,
        /// The state that it is in now.
        version: ZoneVersion,
    },
    /// Only a part of the zone was looked at: there is nothing that tells of the rest, but
    /// that nothing is known to be otherwise. It is served on, and no longer than its age
    /// allows without a full read.
    Part {
        /// All record sets of each of the names of that part which hold something else than
        /// is known; none of a name that is gone.
        names: BTreeMap<Name, Vec<Endpoint>>,
        /// From where the next look goes on.
        version: ZoneVersion,
    },
    /// All that is known, what was written since among it, was held beside all that the
    /// zone holds: that is as good as a full read.
    Compared {
        /// All record sets of each name that holds something else than is known; none of a
        /// name that is gone.
        names: BTreeMap<Name, Vec<Endpoint>>,
        /// The state that it is in now.
        version: ZoneVersion,
        /// How long ago the zone was so for certain: the provider may itself be a cache.
        age: Duration,
    },
    /// It told all that the zone holds.
    Whole(ZoneRecords),
    /// Only a full read tells.
    ReadAgain,
}

/// Why a provider could not be asked.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ProviderError {
    /// It has been asked too often.
    #[error("{message}")]
    Throttled {
        /// In the provider's own words.
        message: String,
        /// When it may be asked again, if it said so.
        retry_after: Option<Duration>,
    },
    /// It cannot be reached, or fails for now.
    #[error("{0}")]
    Unavailable(String),
    /// It does not let us, or not with these keys.
    #[error("{0}")]
    Denied(String),
    /// It does not have the zone (any more).
    #[error("{0}")]
    NoSuchZone(String),
    /// What it answered cannot be understood, or is cut off.
    #[error("{0}")]
    Malformed(String),
}
