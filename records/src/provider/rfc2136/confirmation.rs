//! What has become of a zone since it was read.

use std::collections::{BTreeMap, HashSet};

use super::answer::Soa;
use super::record_sets::RecordSet;
use super::transfer::{Delta, Transferred};
use crate::provider::Confirmation;
use crate::{Endpoint, Name, RecordType, ZoneRecords, ZoneVersion};

/// Record sets by name.
type ByName = BTreeMap<Name, Vec<Endpoint>>;

/// The version that stands for a state: the serial number, and by whose count, as servers
/// of different primaries may be at the same number.
pub(super) fn version(soa: &Soa) -> ZoneVersion {
    ZoneVersion(format!("{} {}", soa.serial, soa.primary).into())
}

/// The state that a version stands for, if it is one of ours.
pub(super) fn state(version: &ZoneVersion) -> Option<Soa> {
    let (serial, primary) = version.0.split_once(' ')?;
    Some(Soa {
        serial: serial.parse().ok()?,
        primary: primary.into(),
    })
}

/// What a transfer says of a zone that was in a state when it was read.
pub(super) fn confirm(known: &ZoneRecords, before: &Soa, transferred: Transferred) -> Confirmation {
    match transferred {
        Transferred::State(soa) if soa == *before => Confirmation::Same,
        // A state that is not ahead: another copy of the zone was put in place.
        Transferred::State(_) | Transferred::Unsupported => Confirmation::ReadAgain,
        // Another primary counts on its own: the way from our number to its is not ours.
        Transferred::Deltas(soa, _) if soa.primary != before.primary => Confirmation::ReadAgain,
        Transferred::Deltas(soa, deltas) => Confirmation::Changed {
            names: replayed(known, &deltas),
            version: version(&soa),
        },
        Transferred::Whole(soa, records) => Confirmation::Whole(ZoneRecords {
            records,
            version: Some(version(&soa)),
        }),
    }
}

/// The names that a history of changes speaks of, as it leaves them.
///
/// What is known may be newer than the history: what was written since then is in both.
/// So a record that goes may be gone already, and one that comes may be there: what is
/// said of a record last is how it is.
fn replayed(known: &ZoneRecords, deltas: &[Delta]) -> ByName {
    let touched: HashSet<&str> = deltas.iter().map(|delta| &*delta.name).collect();
    let before = by_name(
        known
            .records
            .iter()
            .filter(|endpoint| touched.contains(&*endpoint.dns_name)),
    );
    let mut sets: BTreeMap<(&str, &RecordType), RecordSet> = BTreeMap::new();
    for endpoint in before.values().flatten() {
        let set = RecordSet {
            name: endpoint.dns_name.clone(),
            record_type: endpoint.record_type.clone(),
            ttl: endpoint.ttl.map_or(0, std::num::NonZero::get),
            targets: endpoint.targets.to_vec(),
        };
        sets.insert((&endpoint.dns_name, &endpoint.record_type), set);
    }
    for delta in deltas {
        let set = sets
            .entry((&delta.name, &delta.record_type))
            .or_insert_with(|| RecordSet {
                name: delta.name.clone(),
                record_type: delta.record_type.clone(),
                ttl: delta.ttl,
                targets: Vec::new(),
            });
        set.targets.retain(|target| *target != delta.target);
        if delta.added {
            set.ttl = delta.ttl;
            set.targets.push(delta.target.clone());
        }
    }
    let mut after: ByName = touched
        .iter()
        .filter_map(|name| Some((Name::parse(name).ok()?, Vec::new())))
        .collect();
    for (_, set) in sets {
        if let (false, Ok(name)) = (set.targets.is_empty(), Name::parse(&set.name)) {
            after.entry(name).or_default().push(set.into_endpoint());
        }
    }
    after
}

/// The record sets of each name, in the order of their types.
fn by_name(endpoints: impl IntoIterator<Item = Endpoint>) -> ByName {
    let mut names = ByName::new();
    for endpoint in endpoints {
        if let Ok(name) = endpoint.name() {
            names.entry(name).or_default().push(endpoint);
        }
    }
    for sets in names.values_mut() {
        sets.sort_unstable_by(|one, other| one.record_type.cmp(&other.record_type));
    }
    names
}
