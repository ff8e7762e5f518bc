//! Who changes what is ours, and for how long the operator puts up with it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::apply::FIELD_MANAGER;
use crate::dns::objects::{Desired, ObjectKey};

/// How many repairs of an object in quick succession are made at once.
const PATIENCE: u32 = 20;
/// How far apart repairs are to be a succession no longer.
const SUCCESSION: SignedDuration = SignedDuration::from_secs(60);
/// The first pause when patience is at its end, doubled with each further repair.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The repairs of late.
#[derive(Debug, Default)]
pub struct Repairs {
    wanted: Vec<Arc<Desired>>,
    disputes: BTreeMap<ObjectKey, Dispute>,
}

#[derive(Debug)]
struct Dispute {
    repairs: u32,
    last: Timestamp,
    next: Timestamp,
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
    /// When an object may be repaired, if that is not now.
    #[must_use]
    pub fn pause(&self, key: &ObjectKey, now: Timestamp) -> Option<Duration> {
        let next = self.disputes.get(key)?.next;
        let left = next.duration_since(now);
        left.is_positive().then(|| left.unsigned_abs())
    }

    /// Takes note of a repair.
    pub fn note(&mut self, desired: &Desired, now: Timestamp) -> Cause {
        if !self.wanted.iter().any(|wanted| **wanted == *desired) {
            return Cause::NewWish;
        }
        let dispute = self.disputes.entry(desired.key.clone()).or_insert(Dispute {
            repairs: 0,
            last: now,
            next: now,
        });
        if now.duration_since(dispute.last.max(dispute.next)) > SUCCESSION {
            dispute.repairs = 0;
        }
        dispute.repairs = dispute.repairs.saturating_add(1);
        dispute.last = now;
        let Some(beyond) = dispute.repairs.checked_sub(PATIENCE) else {
            return Cause::Drift;
        };
        let pause = FIRST_PAUSE
            .saturating_mul(2_u32.saturating_pow(beyond))
            .min(LONGEST_PAUSE);
        dispute.next = now.saturating_add(pause).unwrap_or(now);
        Cause::Dispute
    }

    /// Remembers what was wanted, to tell drift from new wishes.
    pub fn remember(&mut self, desired: Vec<Arc<Desired>>) {
        self.wanted = desired;
        let wanted = |key: &ObjectKey| self.wanted.iter().any(|wanted| wanted.key == *key);
        self.disputes.retain(|key, _| wanted(key));
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
