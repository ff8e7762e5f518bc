//! Many changes in one call: for providers that limit how often they are called.
//!
//! [`Dispatcher::apply`] packs whole [`Group`]s into batches up to the [`Limits`] of the
//! provider, sends them one after the other, and finds the bad groups of a batch that was
//! refused for its content. A provider that takes batches implements [`Submit`] and calls
//! the dispatcher from its `apply`.
//!
//! - `packing` puts groups into batches, `search` cuts a refused batch until the bad group
//!   stands alone, `patience` bounds the waiting, and `quarantine` remembers bad groups
//!   between passes: all pure.
//! - `pass` sends what these say, and gives each group its outcome.

mod counting;
mod dispatcher;
pub mod packing;
mod pass;
mod patience;
mod quarantine;
mod search;

use std::time::Duration;

use futures::future::BoxFuture;

use crate::{Endpoint, Group, Outcome, Zone};

pub use counting::{Answer, Counters};
pub use dispatcher::Dispatcher;

/// What a group takes of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Weight {
    /// Operations, as the provider counts them.
    pub operations: usize,
    /// Octets, as the provider counts them.
    pub octets: usize,
    /// Values of records, as the provider counts them.
    pub values: usize,
}

/// The most that one batch may weigh; none is without bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Operations.
    pub operations: Option<usize>,
    /// Octets.
    pub octets: Option<usize>,
    /// Values of records.
    pub values: Option<usize>,
}

/// How batches are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The most operations of a batch (`--batch-change-size`); the provider's own limits
    /// hold beside it.
    pub size: usize,
    /// The time between two batches (`--batch-change-interval`).
    pub interval: Duration,
}

impl Default for Settings {
    /// As external-dns has them.
    fn default() -> Self {
        Self {
            size: 200,
            interval: Duration::from_secs(1),
        }
    }
}

/// What takes batches.
pub trait Submit: Send + Sync {
    /// The most that one batch of this zone may weigh, as far as is known now.
    fn limits(&self, zone: &Zone) -> Limits;

    /// What a group weighs. A group that cannot be sent at all has its outcome at once.
    fn weigh(&self, zone: &Zone, group: &Group) -> Result<Weight, Outcome>;

    /// Sends one batch, once: no retries, no waiting but for the turn of the call. All of
    /// the batch is written, or nothing.
    fn submit<'a>(&'a self, zone: &'a Zone, batch: &'a [&'a Group]) -> BoxFuture<'a, Submission>;
}

/// What came of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Submission {
    /// All of it is in the zone; for each group what [`Outcome::Applied`] tells.
    Applied(Vec<Option<Vec<Endpoint>>>),
    /// Nothing of it was written, because of its content.
    Refused {
        /// In the provider's own words.
        reason: String,
        /// What comes of the groups that the provider named, by their place in the batch:
        /// rejected, in conflict, or applied already. None: it is not known which are bad.
        named: Vec<(usize, Outcome)>,
    },
    /// Nothing of it was written: it weighs too much. [`Submit::limits`] tells less from
    /// now on.
    Oversized {
        /// In the provider's own words.
        reason: String,
    },
    /// Nothing of it was written: the provider has been called too often.
    Throttled {
        /// In the provider's own words.
        reason: String,
        /// When it may be called again, if it said so.
        retry_after: Option<Duration>,
    },
    /// Nothing of it was written, for reasons that pass or that have nothing to do with
    /// what is in it: no connection, no rights.
    Postponed {
        /// In the provider's own words.
        reason: String,
    },
    /// Nobody knows whether it was written.
    Unknown {
        /// What happened.
        reason: String,
    },
}
