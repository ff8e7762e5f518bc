//! What clients do, by namespace: for metrics. Only namespaces that exist are counted, so
//! that strangers cannot make up labels.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use records::Outcome;

/// What has happened since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// By namespace.
    pub namespaces: BTreeMap<Box<str>, NamespaceFigures>,
    /// Calls that were refused because of who made them.
    pub denied: u64,
}

/// What the clients of a namespace did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NamespaceFigures {
    /// Tokens that were given out.
    pub logins: u64,
    /// Lists of zones.
    pub lists: u64,
    /// Zones that were read.
    pub reads: u64,
    /// Those of them that were told whole.
    pub whole_reads: u64,
    /// Record sets that were told.
    pub records: u64,
    /// Streams of revisions that were begun.
    pub watches: u64,
    /// Calls with changes.
    pub writes: u64,
    /// Calls that were told to come again later: quotas and full queues.
    pub overloads: u64,
    /// Groups that are in their zone.
    pub applied: u64,
    /// Groups that will never be, as they are.
    pub rejected: u64,
    /// Groups that did not go with what the zone holds.
    pub conflicts: u64,
    /// Groups that were not tried.
    pub postponed: u64,
    /// Groups of which nobody knows.
    pub unknown: u64,
}

/// Counters that are counted up.
#[derive(Debug, Default)]
pub(super) struct Metrics {
    namespaces: Mutex<BTreeMap<Box<str>, NamespaceFigures>>,
    denied: AtomicU64,
}

impl Metrics {
    pub fn count(&self, namespace: &str, count: impl FnOnce(&mut NamespaceFigures)) {
        let mut namespaces = self.namespaces.lock().unwrap_or_else(PoisonError::into_inner);
        count(namespaces.entry(namespace.into()).or_default());
    }

    pub fn count_outcomes(&self, namespace: &str, outcomes: &[Outcome]) {
        self.count(namespace, |figures| {
            for outcome in outcomes {
                *match outcome {
                    Outcome::Applied { .. } => &mut figures.applied,
                    Outcome::Rejected { .. } => &mut figures.rejected,
                    Outcome::Conflict { .. } => &mut figures.conflicts,
                    Outcome::Postponed { .. } => &mut figures.postponed,
                    Outcome::Unknown { .. } => &mut figures.unknown,
                } += 1;
            }
        });
    }

    pub fn deny(&self) {
        self.denied.fetch_add(1, Ordering::Relaxed);
    }

    pub fn figures(&self) -> Figures {
        let namespaces = self.namespaces.lock().unwrap_or_else(PoisonError::into_inner);
        Figures {
            namespaces: namespaces.clone(),
            denied: self.denied.load(Ordering::Relaxed),
        }
    }
}
