//! What a zone holds, with who owns it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::index::{Entry, Index, Mark, Owner, Subject};
use super::label::OWNER;
use super::registry::Registry;
use crate::record_list::{Packed, Place};
use crate::{Endpoint, Name, RecordKey, RecordList, RecordType, Zone};

/// What a zone holds. The zone's records are shared; what their ownership records tell is
/// put on a copy of a record when it is asked for.
#[derive(Clone, Debug, Default)]
pub struct Holdings {
    /// Records of ours whose ownership record is missing, has a name of former days only,
    /// or names the owner that we take over from. Their ownership records are written
    /// together with the next changes, without any change to them; a caller who must leave
    /// some of them alone takes them out.
    pub repairs: Vec<Endpoint>,
    /// Records that have one ownership record with others, so that nobody can tell whose
    /// it is (`*.example.com` and `any.example.com` where `any` stands for `*`). They
    /// count as not ours.
    pub ambiguous: Vec<RecordKey>,
    /// None where every record is ours.
    registry: Option<Arc<Registry>>,
    /// The ownership records.
    pub(super) index: Index,
    held: Vec<Held>,
}

/// Which record of the zone, and where its ownership record is.
#[derive(Clone, Debug)]
struct Held {
    place: Place,
    mark: Option<Mark>,
}

/// A record of a zone, where it is kept.
pub(crate) struct HeldRecord<'a> {
    holdings: &'a Holdings,
    /// As it was read.
    pub(crate) packed: Packed<'a>,
    mark: Option<Mark>,
}

impl Holdings {
    /// What a zone holds that is all ours.
    pub(super) fn all(records: &RecordList) -> Self {
        let held = records.places().map(|(place, _)| Held { place, mark: None });
        Self {
            held: held.collect(),
            index: Index::without_entries(records),
            ..Self::default()
        }
    }

    /// The records, but for those that only tell who owns others, with the labels that
    /// those tell.
    pub fn records(&self) -> impl Iterator<Item = Endpoint> {
        self.held().map(|record| record.endpoint())
    }

    /// The records where they are kept.
    pub(crate) fn held(&self) -> impl Iterator<Item = HeldRecord<'_>> {
        self.held.iter().map(|held| HeldRecord {
            holdings: self,
            packed: self.index.records.at(held.place),
            mark: held.mark,
        })
    }

    /// The ownership record set of a record, as it was read: the one under the name that
    /// is written today.
    #[must_use]
    pub fn txt_of(&self, registry: &Registry, zone: &Zone, key: &RecordKey) -> Option<Endpoint> {
        let txt = registry.txt_key(&zone.name, key).ok()?;
        let place = self.index.find(txt.name.as_str(), &txt.set_identifier)?;
        Some(self.index.txt(&self.index.entries[place]))
    }

    /// Of the records of some keys those that had labels when they were read, as they were.
    pub(super) fn labelled(&self, keys: &HashSet<RecordKey>) -> HashMap<RecordKey, Endpoint> {
        let held = self.held().map(|record| record.packed);
        let labelled = held.filter(|record| !keys.is_empty() && record.has_labels());
        let keyed = labelled.filter_map(|record| Some((record.key().ok()?, record)));
        let asked = keyed.filter(|(key, _)| keys.contains(key));
        asked.map(|(key, record)| (key, record.endpoint())).collect()
    }
}

impl HeldRecord<'_> {
    /// The record with what its ownership record tells.
    pub(crate) fn endpoint(&self) -> Endpoint {
        let mut endpoint = self.packed.endpoint();
        let Some(registry) = &self.holdings.registry else {
            return endpoint;
        };
        // Only ownership records tell owners.
        endpoint.labels.remove(OWNER);
        let Some((mark, entry)) = self.told() else {
            return endpoint;
        };
        let txt = self.holdings.index.records.at(entry.txt);
        endpoint
            .labels
            .extend(registry.labels_in(txt.targets()).unwrap_or_default());
        if needs_repair(mark, entry) {
            endpoint.labels.insert(OWNER.into(), registry.owner().into());
        }
        endpoint
    }

    /// Its ownership record, if that is for nothing else.
    fn told(&self) -> Option<(Mark, &Entry)> {
        let mark = self.mark?;
        let entry = &self.holdings.index.entries[mark.place()];
        (!entry.ambiguous).then_some((mark, entry))
    }
}

fn needs_repair(mark: Mark, entry: &Entry) -> bool {
    match entry.owner {
        Owner::Us => !mark.is_current(),
        Owner::Former => true,
        Owner::Other => false,
    }
}

/// Reads what a zone holds.
pub(super) fn read(registry: &Arc<Registry>, zone: &Zone, records: &RecordList) -> Holdings {
    let mut held = Vec::new();
    let sets = records.places().filter_map(|(place, record)| {
        let is_txt = record.record_type() == RecordType::Txt;
        let labels = is_txt.then(|| registry.labels_in(record.targets())).flatten();
        let labels = labels.filter(|_| record.name().is_ok());
        let several = record.targets().nth(1).is_some();
        if labels.is_none() || several && record.targets().any(|text| registry.parse(text).is_none()) {
            held.push(Held { place, mark: None });
        }
        Some((place, labels?))
    });
    let mut index = Index::new(registry, &zone.name, records, sets);
    held.shrink_to_fit();
    mark(registry, &zone.name, &mut held, &mut index);
    let mut holdings = Holdings {
        registry: Some(Arc::clone(registry)),
        index,
        held,
        ..Holdings::default()
    };
    let (mut repairs, mut ambiguous) = (Vec::new(), Vec::new());
    for record in holdings.held() {
        match record.told() {
            Some((mark, entry)) if needs_repair(mark, entry) => repairs.push(record.endpoint()),
            None if record.mark.is_some() => ambiguous.extend(record.packed.key()),
            _ => {}
        }
    }
    (holdings.repairs, holdings.ambiguous) = (repairs, ambiguous);
    holdings
}

/// Finds the ownership record of each record.
fn mark(registry: &Registry, zone: &Name, records: &mut [Held], index: &mut Index) {
    let mut text = String::new();
    for record in &mut *records {
        let place = Subject::of_packed(&index.records.at(record.place))
            .ok()
            .and_then(|subject| index.current(registry, zone, &subject, &mut text));
        if let Some(place) = place {
            index.entries[place].claims += 1;
            index.entries[place].ambiguous |= index.entries[place].claims > 1;
        }
        record.mark = place.map(|place| Mark::new(place, true));
    }
    // Only now is it known which ownership records are for others by their names.
    let mut readers: HashMap<usize, Name> = HashMap::new();
    for record in records {
        let Ok(subject) = Subject::of_packed(&index.records.at(record.place)) else {
            continue;
        };
        if !index.may_have_former(&subject) {
            continue;
        }
        let places = index.former(registry, zone, &subject);
        let name = subject.name;
        for place in places.into_iter().flatten() {
            let entry = &mut index.entries[place];
            entry.readers += 1;
            entry.ambiguous |= *readers.entry(place).or_insert_with(|| name.clone()) != name;
        }
        let former = places.into_iter().flatten().next();
        record.mark = record.mark.or(former.map(|place| Mark::new(place, false)));
    }
}
