//! Puts the flat lists of a change set into groups, each for a zone. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Change, Endpoint, Group, Name, RecordKey, RecordType, Zone};

use super::ownership::{is_ownership, owned_name};
use super::{ChangeSet, OWNED_RECORD};

/// A change set by zones.
#[derive(Debug, Default)]
pub(super) struct Assignment {
    /// What can be tried, in the order of its names.
    pub(super) parts: Vec<Part>,
    /// What cannot.
    pub(super) refusals: Vec<Refusal>,
}

/// The changes of one owner name in one zone.
#[derive(Debug)]
pub(super) struct Part {
    /// The owner name that the changes are for, alike in all parts of one name.
    pub(super) owner: String,
    /// The zone, by its place.
    pub(super) zone: usize,
    /// When it is its turn.
    pub(super) turn: Turn,
    /// The changes.
    pub(super) group: Group,
}

/// When a part is made, where those of one name lie in several zones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Turn {
    /// Ownership records that are written.
    Claims,
    /// The records themselves.
    Records,
    /// Ownership records that are removed.
    Releases,
}

/// Changes that make no sense, or have no zone.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// The owner name that the changes are for.
    pub(super) owner: String,
    /// Why.
    pub(super) reason: String,
}

/// What is to become of one owner name.
#[derive(Default)]
struct Wanted {
    /// Both sides of each record set.
    sides: BTreeMap<RecordKey, Sides>,
    /// Why none of it can be made.
    fault: Option<String>,
}

#[derive(Default)]
struct Sides {
    old: Option<Endpoint>,
    new: Option<Endpoint>,
}

/// Puts changes into groups and those into zones.
pub(super) fn assign(changes: ChangeSet, zones: &[Zone]) -> Assignment {
    let mut assignment = Assignment::default();
    for (owner, wanted) in by_owner(changes) {
        match parts_of(&owner, wanted, zones) {
            Ok(parts) => assignment.parts.extend(parts),
            Err(reason) => assignment.refusals.push(Refusal { owner, reason }),
        }
    }
    assignment
}

fn by_owner(changes: ChangeSet) -> BTreeMap<String, Wanted> {
    let unlabelled = owners_by_name(&changes);
    let ChangeSet {
        create,
        update_old,
        update_new,
        delete,
    } = changes;
    let old = update_old.into_iter().chain(delete).map(|old| (old, true));
    let new = create.into_iter().chain(update_new).map(|new| (new, false));
    let mut owners: BTreeMap<String, Wanted> = BTreeMap::new();
    for (endpoint, is_old) in old.chain(new) {
        let owner = match endpoint.labels.get(OWNED_RECORD) {
            Some(owned) if endpoint.record_type == RecordType::Txt => comparable(owned),
            _ => {
                let own = comparable(&endpoint.dns_name);
                unlabelled
                    .get(&own)
                    .filter(|_| is_ownership(&endpoint))
                    .cloned()
                    .unwrap_or(own)
            }
        };
        let wanted = owners.entry(owner).or_default();
        if let Err(fault) = wanted.add(endpoint, is_old) {
            wanted.fault.get_or_insert(fault);
        }
    }
    owners
}

/// What unlabelled ownership records are for, by their names.
fn owners_by_name(changes: &ChangeSet) -> BTreeMap<String, String> {
    let all = || {
        let lists = [
            &changes.create,
            &changes.update_old,
            &changes.update_new,
            &changes.delete,
        ];
        lists.into_iter().flatten()
    };
    let unlabelled: Vec<Name> = all()
        .filter(|endpoint| !endpoint.labels.contains_key(OWNED_RECORD) && is_ownership(endpoint))
        .filter_map(|endpoint| endpoint.name().ok())
        .collect();
    if unlabelled.is_empty() {
        return BTreeMap::new();
    }
    let names: Vec<(String, &str)> = all()
        .filter(|endpoint| !is_ownership(endpoint))
        .map(|endpoint| (comparable(&endpoint.dns_name), endpoint.record_type.as_str()))
        .collect();
    let records: BTreeSet<(&str, &str)> = names.iter().map(|(name, kind)| (name.as_str(), *kind)).collect();
    unlabelled
        .iter()
        .filter_map(|name| Some((name.as_str().to_owned(), owned_name(name, &records)?.to_owned())))
        .collect()
}

/// A name as it is compared; what is no name stays as it is.
fn comparable(name: &str) -> String {
    Name::parse(name).map_or_else(|_| name.to_owned(), |name| name.as_str().to_owned())
}

impl Wanted {
    fn add(&mut self, endpoint: Endpoint, is_old: bool) -> Result<(), String> {
        let key = endpoint.key().map_err(|error| error.to_string())?;
        let repeated = format!(
            "{} {} is named twice, with different data",
            key.name, key.record_type
        );
        let sides = self.sides.entry(key).or_default();
        let side = if is_old { &mut sides.old } else { &mut sides.new };
        match side {
            Some(other) if *other != endpoint => Err(repeated),
            _ => {
                *side = Some(endpoint);
                Ok(())
            }
        }
    }
}

fn parts_of(owner: &str, wanted: Wanted, zones: &[Zone]) -> Result<Vec<Part>, String> {
    if let Some(fault) = wanted.fault {
        return Err(fault);
    }
    let mut by_zone: BTreeMap<usize, Vec<Change>> = BTreeMap::new();
    let mut name = Name::parse(owner).ok();
    for (key, sides) in wanted.sides {
        let zone = place_of(&key.name, zones)
            .ok_or_else(|| format!("{} is outside every zone ({})", key.name, list(zones)))?;
        name.get_or_insert(key.name);
        let change = match (sides.old, sides.new) {
            (None, Some(new)) => Change::Create(new),
            (Some(old), Some(new)) => Change::Update { old, new },
            (Some(old), None) => Change::Delete(old),
            (None, None) => continue,
        };
        by_zone.entry(zone).or_default().push(change);
    }
    let name = name.unwrap_or_default();
    let home = place_of(&name, zones);
    let parts = by_zone.into_iter().map(|(zone, changes)| Part {
        owner: owner.to_owned(),
        zone,
        turn: turn(home == Some(zone), &changes),
        group: Group {
            name: name.clone(),
            changes,
        },
    });
    Ok(parts.collect())
}

fn turn(at_home: bool, changes: &[Change]) -> Turn {
    if at_home {
        Turn::Records
    } else if changes.iter().any(|change| change.after().is_some()) {
        Turn::Claims
    } else {
        Turn::Releases
    }
}

/// The place of the zone that a name belongs to.
fn place_of(name: &Name, zones: &[Zone]) -> Option<usize> {
    let zone = Zone::of(zones, name)?;
    zones.iter().position(|other| other == zone)
}

fn list(zones: &[Zone]) -> String {
    /// More are only counted.
    const SHOWN: usize = 10;
    let mut names: Vec<String> = zones
        .iter()
        .take(SHOWN)
        .map(|zone| zone.name.to_string())
        .collect();
    match zones.len() {
        0 => names.push("there is none".into()),
        count if count > SHOWN => names.push(format!("and {} more", count - SHOWN)),
        _ => {}
    }
    names.join(", ")
}
