//! What a cache tells of itself: for people, and for metrics.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::age::ZoneState;
use crate::provider::Operation;
use crate::{Outcome, Zone};

/// A cache as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheStatus {
    /// Its zones, by their identifiers.
    pub zones: Vec<ZoneStatus>,
    /// What has happened since the start.
    pub counters: Counters,
    /// How often the provider was asked for what.
    pub provider_calls: BTreeMap<Operation, u64>,
    /// Why it is not kept on disk as it should be; none if it is, or is not to be.
    pub not_kept: Option<String>,
}

/// A zone of a cache as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneStatus {
    /// Which zone.
    pub zone: Zone,
    /// How far it is to be believed.
    pub state: ZoneState,
    /// How many record sets it has.
    pub records: usize,
    /// How long ago all of it was read (`records_cache_age_seconds`).
    pub age: Option<Duration>,
    /// How long ago the provider said what it is; none since it came from disk.
    pub confirmed: Option<Duration>,
    /// How long ago something was written to it.
    pub patched: Option<Duration>,
    /// Names that are read again before they are believed (`records_cache_dirty`).
    pub doubtful: usize,
}

/// What has happened since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Zones served without asking the provider: `records_cache_hits`, and external-dns's
    /// `provider_cache_records_calls{from_cache="true"}`.
    pub hits: u64,
    /// Zones served after asking it: `records_cache_misses`, and external-dns's
    /// `provider_cache_records_calls{from_cache="false"}`.
    pub misses: u64,
    /// Groups that are in their zone: `records_cache_patches`.
    pub patches: u64,
    /// Groups that did not go with what the zone holds: `records_cache_conflicts`.
    pub conflicts: u64,
    /// Calls with changes for the provider: external-dns's
    /// `provider_cache_apply_changes_calls`.
    pub apply_calls: u64,
    /// Zones that came from disk.
    pub restores: u64,
    /// How long that took: `records_cache_restore_seconds`.
    pub restore_time: Duration,
}

/// Counters that are counted up.
#[derive(Debug, Default)]
pub(super) struct Counting {
    hits: AtomicU64,
    misses: AtomicU64,
    patches: AtomicU64,
    conflicts: AtomicU64,
    apply_calls: AtomicU64,
}

impl Counting {
    pub fn hit(&self) {
        add(&self.hits, 1);
    }

    pub fn miss(&self) {
        add(&self.misses, 1);
    }

    pub fn patch(&self) {
        add(&self.patches, 1);
    }

    pub fn apply_call(&self) {
        add(&self.apply_calls, 1);
    }

    pub fn count_conflicts(&self, outcomes: &[Outcome]) {
        let conflicts = outcomes
            .iter()
            .filter(|outcome| matches!(outcome, Outcome::Conflict { .. }));
        add(&self.conflicts, conflicts.count() as u64);
    }

    /// The counters now, with what was restored at the start.
    pub fn read(&self, (restores, restore_time): (u64, Duration)) -> Counters {
        Counters {
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
            patches: self.patches.load(Ordering::Relaxed),
            conflicts: self.conflicts.load(Ordering::Relaxed),
            apply_calls: self.apply_calls.load(Ordering::Relaxed),
            restores,
            restore_time,
        }
    }
}

fn add(counter: &AtomicU64, number: u64) {
    counter.fetch_add(number, Ordering::Relaxed);
}
