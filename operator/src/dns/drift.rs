//! Who changes what is ours, and for how long the operator puts up with it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::apply::FIELD_MANAGER;
use crate::dns::objects::{Desired, ObjectKey};

/// How far apart repairs of an object are made when somebody undoes them for good. Not
/// further: without its rights, for one, a DNS pod that loads a Corefile is not ready.
const PACE: SignedDuration = SignedDuration::from_secs(1);
/// How far repairs may be ahead of that: so many are made at once.
const CREDIT: SignedDuration = SignedDuration::from_secs(20);

/// The repairs of late.
#[derive(Debug, Default)]
pub struct Repairs {
    wanted: Vec<Arc<Desired>>,
    /// What was wanted and what was there when that was the same.
    settled: BTreeMap<ObjectKey, (Arc<Desired>, Arc<Value>)>,
    /// When the repairs so far would be over at their pace.
    paid: BTreeMap<ObjectKey, Timestamp>,
}

/// How a repair is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The operator wants something else than before.
    NewWish,
    /// Somebody has changed the object.
    Drift,
    /// Somebody changes it again and again: the next repair has to wait.
    Dispute,
}

impl Repairs {
    /// Whether an object was compared before, neither side has changed since, and
    /// nothing was to be repaired.
    #[must_use]
    pub fn is_settled(&self, desired: &Arc<Desired>, live: &Arc<Value>) -> bool {
        let seen = self.settled.get(&desired.key);
        seen.is_some_and(|(wanted, found)| Arc::ptr_eq(wanted, desired) && Arc::ptr_eq(found, live))
    }

    /// Remembers that an object is as it should be.
    pub fn settle(&mut self, desired: &Arc<Desired>, live: Arc<Value>) {
        let compared = (Arc::clone(desired), live);
        self.settled.insert(desired.key.clone(), compared);
    }

    /// When an object may be repaired, if that is not now.
    #[must_use]
    pub fn pause(&self, key: &ObjectKey, now: Timestamp) -> Option<Duration> {
        let ahead = self.paid.get(key)?.duration_since(now);
        let left = ahead.checked_sub(CREDIT)?;
        left.is_positive().then(|| left.unsigned_abs())
    }

    /// Takes note of a repair.
    pub fn note(&mut self, desired: &Desired, now: Timestamp) -> Cause {
        if !self.wanted.iter().any(|wanted| **wanted == *desired) {
            return Cause::NewWish;
        }
        let paid = self.paid.entry(desired.key.clone()).or_insert(now);
        *paid = (*paid).max(now).saturating_add(PACE).unwrap_or(now);
        match self.pause(&desired.key, now) {
            Some(_) => Cause::Dispute,
            None => Cause::Drift,
        }
    }

    /// Remembers what was wanted, to tell drift from new wishes.
    pub fn remember(&mut self, desired: Vec<Arc<Desired>>) {
        self.wanted = desired;
        let wanted = |key: &ObjectKey| self.wanted.iter().any(|wanted| wanted.key == *key);
        self.paid.retain(|key, _| wanted(key));
        self.settled.retain(|key, _| wanted(key));
    }
}

/// What the API server calls a writer that does not say its name.
const NAMELESS: &str = "unknown";

/// Who wrote an object last, by its managed fields, unless that was the operator.
#[must_use]
pub fn last_writer(live: &Value) -> Option<&str> {
    let manager = live["metadata"]["managedFields"][0]["manager"].as_str()?;
    (![FIELD_MANAGER, NAMELESS].contains(&manager)).then_some(manager)
}
