//! What is known of a zone beside what the server tells of it. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use records::provider::Confirmation;
use records::record_list::{Builder, Step};
use records::{Endpoint, Name, RecordList, ZoneRecords, ZoneVersion};

use super::reading::Taken;
use crate::protocol::zones::Basis;
use crate::revision::{Digests, Revision, part};

/// If more of a zone has changed than one record set in so many, it is taken as a whole.
const SHARE: usize = 16;
/// But not for fewer than these.
const FEW: usize = 1_000;

/// Records and their digests, so that next time only what has changed is digested. The
/// records are shared with who knows them.
#[derive(Clone, Default)]
pub(super) struct Digested {
    records: RecordList,
    pub digests: Digests,
}

impl Digested {
    /// Records whose digests are known.
    pub fn new(records: RecordList, digests: Digests) -> Self {
        Self { records, digests }
    }

    /// The same for what these records have become.
    pub fn digest(mut self, records: &RecordList) -> Self {
        let digests = &mut self.digests;
        let mut put_in = |record: &Endpoint| digests.put_in(part(&record.place()), record);
        let mut gone = Vec::new();
        for step in records.difference(&self.records) {
            match step {
                Step::Kept(_) => {}
                Step::Added(new) => put_in(&new),
                Step::Removed(old) => gone.push(old),
                Step::Replaced { old, new } => {
                    put_in(&new);
                    gone.push(old);
                }
            }
        }
        for old in gone {
            digests.take_out(part(&old.place()), &old);
        }
        self.records = records.clone();
        self
    }
}

/// The version that stands for a revision.
pub(super) fn version(revision: Revision) -> ZoneVersion {
    ZoneVersion(revision.to_string().into())
}

/// The revision that a version stands for, if it is one of ours.
pub(super) fn revision(version: &ZoneVersion) -> Option<Revision> {
    version.0.parse().ok()
}

/// All that is known is what the zone holds.
pub(super) fn same(revision: Revision) -> Confirmation {
    Confirmation::Compared {
        names: BTreeMap::new(),
        version: version(revision),
        age: Duration::ZERO,
    }
}

/// What the server's answer makes of what is known, whose digests are `held`; none if it does
/// not come to be what the server says.
pub(super) fn compare(known: &RecordList, held: &Digests, taken: Taken) -> Option<Confirmation> {
    let (gone, digests) = match &taken.basis {
        Basis::Whole => (Vec::new(), taken.digests.clone()),
        basis => {
            let gone = gone(known, basis);
            let mut digests = held.clone();
            for record in &gone {
                digests.take_out(part(&record.place()), record);
            }
            for record in &taken.records {
                digests.put_in(part(&record.place()), &record);
            }
            (gone, digests)
        }
    };
    if digests.revision() != taken.revision {
        return None;
    }
    let is_much = gone.len().max(taken.records.len()) > FEW.max(known.len() / SHARE);
    let names = if taken.basis == Basis::Whole || is_much {
        None
    } else {
        changed(&gone, &taken.records)
    };
    Some(match names {
        Some(names) => Confirmation::Compared {
            names,
            version: version(taken.revision),
            age: taken.age,
        },
        None => whole(known, taken),
    })
}

/// What is known and stands where the server tells what is there.
fn gone(known: &RecordList, basis: &Basis) -> Vec<Endpoint> {
    match basis {
        Basis::Whole => known.iter().collect(),
        Basis::Names(names) => names.iter().flat_map(|name| known.at_place(name)).collect(),
        Basis::Parts(parts) => known
            .iter()
            .filter(|record| parts.contains(&part(&record.place())))
            .collect(),
    }
}

/// The names that hold something else than is known; none if one of them is no name, and
/// cannot be told.
fn changed(gone: &[Endpoint], now: &RecordList) -> Option<BTreeMap<Name, Vec<Endpoint>>> {
    let mut names = BTreeMap::<Name, (Vec<&Endpoint>, Vec<Endpoint>)>::new();
    for record in gone {
        names.entry(record.name().ok()?).or_default().0.push(record);
    }
    for record in now {
        names.entry(record.name().ok()?).or_default().1.push(record);
    }
    names.retain(|_, (old, new)| {
        let is_among = |one: &Endpoint| old.iter().any(|other| other.same_records(one));
        old.len() != new.len() || !new.iter().all(is_among)
    });
    let names = names.into_iter().map(|(name, (_, new))| (name, new));
    Some(names.collect())
}

/// All of the zone, put together of what is known and what was told.
fn whole(known: &RecordList, taken: Taken) -> Confirmation {
    let none = BTreeSet::new();
    let names = match &taken.basis {
        Basis::Names(names) => names,
        _ => &none,
    };
    let stays = |record: &Endpoint| match &taken.basis {
        Basis::Whole => false,
        Basis::Names(_) => !names.contains(&*record.place()),
        Basis::Parts(parts) => !parts.contains(&part(&record.place())),
    };
    let records = if taken.basis == Basis::Whole {
        taken.records
    } else {
        let mut records = Builder::default();
        known
            .iter()
            .filter(stays)
            .chain(&taken.records)
            .for_each(|record| records.push(&record));
        records.finish()
    };
    Confirmation::Whole(ZoneRecords {
        records,
        version: Some(version(taken.revision)),
    })
}
