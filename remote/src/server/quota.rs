//! How many changes a namespace may ask for over time.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// A bucket of changes that fills up over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// How many changes may be asked for at once.
    pub burst: u32,
    /// The time in which one more is allowed.
    pub interval: Duration,
}

/// The buckets of all namespaces. No library: a request that is larger than the bucket must
/// be possible at some time, and is paid for afterwards.
#[derive(Debug, Default)]
pub(super) struct Quotas {
    /// When each bucket is full again. One that is full is not kept.
    full_at: Mutex<BTreeMap<Box<str>, Duration>>,
}

impl Quotas {
    /// Takes changes out of a namespace's bucket, which may go into debt; how long to wait
    /// if it is empty.
    pub fn take(&self, quota: Quota, namespace: &str, changes: usize, now: Duration) -> Result<(), Duration> {
        let mut buckets = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        buckets.retain(|_, full_at| *full_at > now);
        let full_at = buckets.get(namespace).copied().unwrap_or(now);
        let room = quota.interval.saturating_mul(quota.burst);
        let missing = full_at.saturating_sub(now).saturating_add(quota.interval);
        let wait = missing.saturating_sub(room);
        if !wait.is_zero() {
            return Err(wait);
        }
        let changes = u32::try_from(changes).unwrap_or(u32::MAX);
        let full_at = full_at.saturating_add(quota.interval.saturating_mul(changes));
        buckets.insert(namespace.into(), full_at);
        Ok(())
    }
}
