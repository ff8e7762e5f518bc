//! The record sets of a zone in the order of their names.

use std::collections::BTreeMap;

use crate::record_list::{Builder, Position};
use crate::{Change, Endpoint, Group, Name, RecordKey, RecordList};

/// Record sets by the name that they stand at.
pub(super) type ByName = BTreeMap<Name, Vec<Endpoint>>;

/// The records, in order, with those at some names replaced.
pub(super) fn replace(records: &RecordList, names: ByName) -> RecordList {
    let mut replaced = Builder::default();
    let mut rest = Position::default();
    for (name, mut new) in names {
        let gone = records.equal_range(|record| (*record.place()).cmp(name.as_str()));
        replaced.copy(records, rest..gone.start);
        new.sort_by(|one, other| {
            one.record_type
                .cmp(&other.record_type)
                .then_with(|| one.set_identifier.cmp(&other.set_identifier))
        });
        for record in &new {
            replaced.push(record);
        }
        rest = gone.end;
    }
    replaced.copy(records, rest..records.end());
    replaced.finish()
}

/// Why a change does not go with what the zone holds; none if it does.
pub(super) fn disagreement(records: &RecordList, change: &Change) -> Option<String> {
    let side = change.before().or(change.after())?;
    let key = side.key().ok()?;
    let found = records
        .at_place(key.name.as_str())
        .into_iter()
        .find(|found| is_of(found, &key));
    match (change.before(), found) {
        (None, None) => None,
        (None, Some(_)) => Some(format!("{} {} is there already", key.name, key.record_type)),
        (Some(_), None) => Some(format!("{} {} is not there", key.name, key.record_type)),
        (Some(before), Some(found)) if before.same_records(&found) => None,
        (Some(_), Some(_)) => Some(format!(
            "{} {} is not what it was believed to be",
            key.name, key.record_type
        )),
    }
}

/// Puts what a group has written into the record sets at its names.
pub(super) fn patch(names: &mut ByName, records: &RecordList, group: &Group, written: Option<Vec<Endpoint>>) {
    let mut keys: Vec<RecordKey> = Vec::new();
    for side in group
        .changes
        .iter()
        .flat_map(|change| [change.before(), change.after()])
        .flatten()
    {
        keys.extend(side.key().ok());
    }
    for key in &keys {
        names
            .entry(key.name.clone())
            .or_insert_with(|| records.at_place(key.name.as_str()))
            .retain(|found| !is_of(found, key));
    }
    let written =
        written.unwrap_or_else(|| group.changes.iter().filter_map(Change::after).cloned().collect());
    for endpoint in written {
        let Ok(key) = endpoint.key() else { continue };
        if let Some(there) = names.get_mut(&key.name) {
            there.retain(|found| !is_of(found, &key));
            there.push(endpoint);
        }
    }
}

/// Whether a record set at the key's name is the one of that key.
fn is_of(endpoint: &Endpoint, key: &RecordKey) -> bool {
    endpoint.record_type == key.record_type && endpoint.set_identifier == key.set_identifier
}
