//! How a zone stands to a group of changes that was refused. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::content::canonical;
use crate::{Change, Endpoint, Group, Name, RecordKey, RecordType};

/// How a zone stands to a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It holds what the group believes.
    AsBelieved {
        /// Whether records that the group does not touch keep its own out.
        in_the_way: bool,
    },
    /// Somebody has done some of it already: this is left.
    Rest(Group),
    /// Somebody has done something else.
    Foreign(String),
}

/// Both sides of all changes.
pub(super) fn sides(group: &Group) -> impl Iterator<Item = &Endpoint> {
    let sides = |change| [Change::before(change), Change::after(change)];
    group.changes.iter().flat_map(sides).flatten()
}

/// All names that a group touches.
pub(super) fn names(group: &Group) -> impl Iterator<Item = Name> {
    let names: BTreeSet<Name> = sides(group).filter_map(|side| side.name().ok()).collect();
    names.into_iter()
}

/// How what was found at the names of a group stands to it.
pub(super) fn standing(group: &Group, found: &BTreeMap<RecordKey, Endpoint>) -> Standing {
    let mut changes = Vec::with_capacity(group.changes.len());
    for change in &group.changes {
        match left(change, found) {
            Ok(left) => changes.extend(left),
            Err(reason) => return Standing::Foreign(reason),
        }
    }
    if changes == group.changes {
        let in_the_way = in_the_way(group, found);
        return Standing::AsBelieved { in_the_way };
    }
    Standing::Rest(Group {
        name: group.name.clone(),
        changes,
    })
}

/// What of a change is left to be done: none if all is done.
fn left(change: &Change, found: &BTreeMap<RecordKey, Endpoint>) -> Result<Option<Change>, String> {
    let there = |side: &Endpoint| side.key().ok().and_then(|key| found.get(&key));
    let foreign = |side: &Endpoint, there: &Endpoint| {
        Err(format!(
            "{} {} holds {:?}",
            side.dns_name, side.record_type, there.targets
        ))
    };
    match change {
        Change::Create(new) => match there(new) {
            None => Ok(Some(change.clone())),
            Some(there) if targets(there).is_subset(&targets(new)) => Ok(Some(Change::Update {
                old: there.clone(),
                new: new.clone(),
            })),
            Some(there) => foreign(new, there),
        },
        Change::Delete(old) => match there(old) {
            None => Ok(None),
            Some(there) if targets(there).is_subset(&targets(old)) => Ok(Some(Change::Delete(there.clone()))),
            Some(there) => foreign(old, there),
        },
        Change::Update { old, new } => {
            let Some(there) = there(new) else {
                return Err(format!("{} {} is not there", new.dns_name, new.record_type));
            };
            let (before, now, after) = (targets(old), targets(there), targets(new));
            let stays = before.intersection(&after).all(|target| now.contains(target));
            let known = now
                .iter()
                .all(|target| before.contains(target) || after.contains(target));
            if !stays || !known {
                return foreign(new, there);
            }
            Ok(Some(Change::Update {
                old: there.clone(),
                new: new.clone(),
            }))
        }
    }
}

fn targets(endpoint: &Endpoint) -> BTreeSet<Box<str>> {
    let targets = endpoint.targets.iter();
    targets
        .map(|target| canonical(&endpoint.record_type, target))
        .collect()
}

/// Whether at a name there are records that no others, or not those of the group, may stand
/// beside.
fn in_the_way(group: &Group, found: &BTreeMap<RecordKey, Endpoint>) -> bool {
    let touched: BTreeSet<RecordKey> = sides(group).filter_map(|side| side.key().ok()).collect();
    let wanted: BTreeSet<RecordKey> = group
        .changes
        .iter()
        .filter_map(Change::after)
        .filter_map(|after| after.key().ok())
        .collect();
    let alone = |record_type: &RecordType| matches!(record_type, RecordType::Cname | RecordType::Ns);
    found.keys().filter(|key| !touched.contains(key)).any(|other| {
        let mut beside = wanted.iter().filter(|key| key.name == other.name);
        beside.any(|key| alone(&key.record_type) || alone(&other.record_type))
    })
}
