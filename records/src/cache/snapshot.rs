//! The record sets of a zone in the order of their names.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::{Change, Endpoint, Group, Name, RecordKey};

/// Record sets by the name that they stand at.
pub(super) type ByName = BTreeMap<Name, Vec<Arc<Endpoint>>>;

/// Puts record sets into the order of their names.
pub(super) fn order(records: &mut [Arc<Endpoint>]) {
    records.sort_by(|one, other| {
        one.place()
            .cmp(&other.place())
            .then_with(|| one.record_type.cmp(&other.record_type))
            .then_with(|| one.set_identifier.cmp(&other.set_identifier))
    });
}

/// The record sets at a name, of records in order.
pub(super) fn at<'a>(records: &'a [Arc<Endpoint>], name: &str) -> &'a [Arc<Endpoint>] {
    let start = records.partition_point(|record| *record.place() < *name);
    let length = records[start..].partition_point(|record| *record.place() == *name);
    &records[start..start + length]
}

/// The records, in order, with those at some names replaced.
pub(super) fn replace(records: &[Arc<Endpoint>], names: ByName) -> Vec<Arc<Endpoint>> {
    let mut replaced = Vec::with_capacity(records.len() + names.len());
    let mut rest = records;
    for (name, mut new) in names {
        let start = rest.partition_point(|record| *record.place() < *name.as_str());
        let length = rest[start..].partition_point(|record| *record.place() == *name.as_str());
        replaced.extend_from_slice(&rest[..start]);
        order(&mut new);
        replaced.append(&mut new);
        rest = &rest[start + length..];
    }
    replaced.extend_from_slice(rest);
    replaced
}

/// Why a change does not go with what the zone holds; none if it does.
pub(super) fn disagreement(records: &[Arc<Endpoint>], change: &Change) -> Option<String> {
    let side = change.before().or(change.after())?;
    let key = side.key().ok()?;
    let found = at(records, key.name.as_str())
        .iter()
        .find(|found| is_of(found, &key));
    match (change.before(), found) {
        (None, None) => None,
        (None, Some(_)) => Some(format!("{} {} is there already", key.name, key.record_type)),
        (Some(_), None) => Some(format!("{} {} is not there", key.name, key.record_type)),
        (Some(before), Some(found)) if before.same_records(found) => None,
        (Some(_), Some(_)) => Some(format!(
            "{} {} is not what it was believed to be",
            key.name, key.record_type
        )),
    }
}

/// Puts what a group has written into the record sets at its names.
pub(super) fn patch(
    names: &mut ByName,
    records: &[Arc<Endpoint>],
    group: &Group,
    written: Option<Vec<Endpoint>>,
) {
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
            .or_insert_with(|| at(records, key.name.as_str()).to_vec())
            .retain(|found| !is_of(found, key));
    }
    let written =
        written.unwrap_or_else(|| group.changes.iter().filter_map(Change::after).cloned().collect());
    for endpoint in written {
        let Ok(key) = endpoint.key() else { continue };
        if let Some(there) = names.get_mut(&key.name) {
            there.retain(|found| !is_of(found, &key));
            there.push(Arc::new(endpoint));
        }
    }
}

/// Whether a record set at the key's name is the one of that key.
fn is_of(endpoint: &Endpoint, key: &RecordKey) -> bool {
    endpoint.record_type == key.record_type && endpoint.set_identifier == key.set_identifier
}
