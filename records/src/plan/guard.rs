//! The guard against the deletion of much of a zone in one pass.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use thiserror::Error;

use super::{Plan, Rules};
use crate::{Change, Endpoint, Name, Zone};

/// What may be deleted in one pass. A source that answers too little looks just as if
/// nearly everything was to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guard {
    /// The largest share of a zone's owned records, in percent.
    pub max_percent: u8,
    /// Zones of fewer owned records are not guarded.
    pub min_records: usize,
    /// What somebody has looked at and lets happen.
    pub acknowledged: Vec<Acknowledgement>,
}

/// Leave to delete up to so many records of a zone in one pass; as text, `example.com=40`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledgement {
    /// The zone's apex.
    pub zone: Name,
    /// How many records.
    pub deletions: usize,
}

/// A text that is no acknowledgement.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the acknowledgement {0:?} is not of the form ZONE=NUMBER, such as example.com=40")]
pub struct InvalidAcknowledgement(String);

/// Deletions that were taken out of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize)]
#[serde(rename_all = "camelCase")]
#[error(
    "{deletions} of {owned} owned records of the zone {zone} would be deleted in one pass, and at most \
     {max_percent} % may be: none of them is; if they are to go, acknowledge it with {}",
    Acknowledgement { zone: zone.clone(), deletions: *deletions }
)]
pub struct Refusal {
    /// The zone's apex.
    pub zone: Name,
    /// How many records would have been deleted.
    pub deletions: usize,
    /// How many records of the zone are ours.
    pub owned: usize,
    /// The largest share that may be deleted without an acknowledgement.
    pub max_percent: u8,
    /// The deletions.
    pub changes: Vec<Change>,
}

impl Default for Guard {
    /// 30 % of a zone of ten or more records.
    fn default() -> Self {
        Self {
            max_percent: 30,
            min_records: 10,
            acknowledged: Vec::new(),
        }
    }
}

impl Guard {
    /// Takes the deletions of each zone out of a plan of which too much would be deleted;
    /// creations and updates stay. A name that gets other records in place of the deleted
    /// ones does not lose anything: such deletions do not count and stay too.
    pub fn check(
        &self,
        plan: &mut Plan,
        zones: &[Zone],
        current: impl IntoIterator<Item: AsRef<Endpoint>>,
        rules: &Rules,
    ) -> Vec<Refusal> {
        let deletions = deletions(plan, zones);
        if deletions.is_empty() {
            return Vec::new();
        }
        let owned = owned_records(zones, current, rules);
        let mut refused = BTreeMap::new();
        let mut refusals = Vec::new();
        for (zone, indices) in deletions {
            let owned = owned.get(zone).copied().unwrap_or_default();
            if self.allows(zone, indices.len(), owned) {
                continue;
            }
            refused.extend(indices.iter().map(|&index| (index, refusals.len())));
            refusals.push(Refusal {
                zone: zone.name.clone(),
                deletions: indices.len(),
                owned,
                max_percent: self.max_percent,
                changes: Vec::new(),
            });
        }
        let mut kept = Vec::with_capacity(plan.changes.len() - refused.len());
        for (index, change) in std::mem::take(&mut plan.changes).into_iter().enumerate() {
            match refused.get(&index) {
                Some(&refusal) => refusals[refusal].changes.push(change),
                None => kept.push(change),
            }
        }
        plan.changes = kept;
        refusals
    }

    fn allows(&self, zone: &Zone, deletions: usize, owned: usize) -> bool {
        let is_acknowledged = |it: &Acknowledgement| it.zone == zone.name && deletions <= it.deletions;
        owned < self.min_records
            || deletions.saturating_mul(100) <= owned.saturating_mul(self.max_percent.into())
            || self.acknowledged.iter().any(is_acknowledged)
    }
}

/// The places of the deletions of each zone whose names get nothing in place.
fn deletions<'z>(plan: &Plan, zones: &'z [Zone]) -> BTreeMap<&'z Zone, Vec<usize>> {
    let name = |change: &Change| change.after().or(change.before())?.name().ok();
    let staying: BTreeSet<Name> = plan
        .changes
        .iter()
        .filter(|change| change.after().is_some())
        .filter_map(name)
        .collect();
    let mut deletions = BTreeMap::<_, Vec<_>>::new();
    for (index, change) in plan.changes.iter().enumerate() {
        if let Change::Delete(old) = change
            && let Ok(name) = old.name()
            && !staying.contains(&name)
            && let Some(zone) = Zone::of(zones, &name)
        {
            deletions.entry(zone).or_default().push(index);
        }
    }
    deletions
}

/// How many records of each zone are ours, of those that the rules look at.
fn owned_records<'z>(
    zones: &'z [Zone],
    current: impl IntoIterator<Item: AsRef<Endpoint>>,
    rules: &Rules,
) -> BTreeMap<&'z Zone, usize> {
    let mut owned = BTreeMap::new();
    for record in current {
        let record = record.as_ref();
        if rules.managed.contains(&record.record_type)
            && rules.owns(record)
            && let Ok(name) = record.name()
            && rules.takes_name(name.as_str())
            && let Some(zone) = Zone::of(zones, &name)
        {
            *owned.entry(zone).or_default() += 1;
        }
    }
    owned
}

impl FromStr for Acknowledgement {
    type Err = InvalidAcknowledgement;

    fn from_str(text: &str) -> Result<Self, InvalidAcknowledgement> {
        let invalid = || InvalidAcknowledgement(text.to_owned());
        let (zone, deletions) = text.rsplit_once('=').ok_or_else(invalid)?;
        Ok(Self {
            zone: Name::parse(zone).map_err(|_| invalid())?,
            deletions: deletions.parse().map_err(|_| invalid())?,
        })
    }
}

impl fmt::Display for Acknowledgement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}={}", self.zone, self.deletions)
    }
}
