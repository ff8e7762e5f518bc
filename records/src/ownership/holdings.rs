//! What a zone holds, with who owns it.

use std::collections::HashMap;
use std::mem;
use std::sync::Arc;

use super::Refusal;
use super::index::{Index, Mark};
use super::label::OWNER;
use super::registry::Registry;
use crate::{Endpoint, Labels, Name, RecordKey, Zone};

/// What a zone holds.
#[derive(Clone, Debug, Default)]
pub struct Holdings {
    /// The records, but for those that only tell who owns others, with the labels that
    /// those tell. Those without labels are shared with the zone.
    pub records: Vec<Arc<Endpoint>>,
    /// Records of ours whose ownership record is missing, has a name of former days only,
    /// or names the owner that we take over from. Their ownership records are written
    /// together with the next changes, without any change to them; a caller who must leave
    /// some of them alone takes them out.
    pub repairs: Vec<Arc<Endpoint>>,
    /// Records that have one ownership record with others, so that nobody can tell whose
    /// it is (`*.example.com` and `any.example.com` where `any` stands for `*`). They
    /// count as not ours.
    pub ambiguous: Vec<RecordKey>,
    /// The ownership records.
    pub(super) index: Index,
    /// As they were read, those records that had labels before.
    pub(super) raw: HashMap<RecordKey, Arc<Endpoint>>,
}

impl Holdings {
    /// The ownership record set of a record, as it was read: the one under the name that
    /// is written today.
    #[must_use]
    pub fn txt_of(&self, registry: &Registry, zone: &Zone, key: &RecordKey) -> Option<&Arc<Endpoint>> {
        let txt = registry.txt_key(&zone.name, key).ok()?;
        let place = self.index.find(txt.name.as_str(), &txt.set_identifier)?;
        Some(&self.index.entries[place].txt)
    }

    /// The record as it was read, without what was added to it here.
    pub(super) fn raw(&self, record: &Endpoint) -> Result<Endpoint, Refusal> {
        let raw = self.raw.get(&record.key()?);
        Ok(match raw {
            Some(raw) => Endpoint::clone(raw),
            None => Endpoint {
                labels: Labels::new(),
                ..record.clone()
            },
        })
    }
}

/// Reads what a zone holds.
pub(super) fn read(registry: &Registry, zone: &Zone, records: &[Arc<Endpoint>]) -> Holdings {
    let mut ordinary = Vec::with_capacity(records.len());
    let (mut sets, mut told) = (Vec::new(), Vec::new());
    for record in records {
        let labels = registry.labels_of(record).filter(|_| record.name().is_ok());
        if labels.is_none() || record.targets.len() > 1 && !registry.other_texts(record).is_empty() {
            ordinary.push(Arc::clone(record));
        }
        if let Some(labels) = labels {
            sets.push((record, registry.is_ours(&labels)));
            told.push(labels);
        }
    }
    let mut index = Index::new(registry, &zone.name, sets.into_iter());
    let marks = mark(registry, &zone.name, &ordinary, &mut index);
    let mut holdings = Holdings {
        records: ordinary,
        index,
        ..Holdings::default()
    };
    for (at, mark) in marks.into_iter().enumerate() {
        holdings.tell(registry, at, mark, &mut told);
    }
    holdings
}

/// Finds the ownership record of each record.
fn mark(registry: &Registry, zone: &Name, records: &[Arc<Endpoint>], index: &mut Index) -> Vec<Option<Mark>> {
    let mut text = String::new();
    let mut marks = Vec::with_capacity(records.len());
    for record in records {
        let name = record.name().ok();
        let place = name.and_then(|name| index.current(registry, zone, record, &name, &mut text));
        if let Some(place) = place {
            index.entries[place].claims += 1;
            index.entries[place].ambiguous |= index.entries[place].claims > 1;
        }
        marks.push(place.map(|place| Mark { place, current: true }));
    }
    // Only now is it known which ownership records are for others by their names.
    let mut readers: HashMap<usize, Name> = HashMap::new();
    for (record, mark) in records.iter().zip(&mut marks) {
        if !index.may_have_former(record) {
            continue;
        }
        let Ok(name) = record.name() else { continue };
        let places = index.former(registry, zone, record, &name);
        for place in places.into_iter().flatten() {
            let entry = &mut index.entries[place];
            entry.readers += 1;
            entry.ambiguous |= *readers.entry(place).or_insert_with(|| name.clone()) != name;
        }
        let former = places.into_iter().flatten().next();
        *mark = mark.or(former.map(|place| Mark {
            place,
            current: false,
        }));
    }
    marks
}

impl Holdings {
    /// Puts on a record what its ownership record tells.
    fn tell(&mut self, registry: &Registry, at: usize, mark: Option<Mark>, told: &mut [Labels]) {
        let raw = Arc::clone(&self.records[at]);
        let mut labels = raw.labels.clone();
        // Only ownership records tell owners.
        labels.remove(OWNER);
        let mut repair = false;
        if let Some(Mark { place, current }) = mark {
            let entry = &self.index.entries[place];
            if entry.ambiguous {
                self.ambiguous.extend(raw.key());
            } else {
                let alone = entry.claims + entry.readers == 1;
                labels.extend(if alone {
                    mem::take(&mut told[place])
                } else {
                    told[place].clone()
                });
                repair =
                    entry.ours && !(current && labels.get(OWNER).is_some_and(|id| id == registry.owner()));
            }
            if repair {
                labels.insert(OWNER.into(), registry.owner().into());
            }
        }
        if !raw.labels.is_empty()
            && let Ok(key) = raw.key()
        {
            self.raw.insert(key, Arc::clone(&raw));
        }
        if labels != raw.labels {
            self.records[at] = Arc::new(Endpoint {
                labels,
                ..Endpoint::clone(&raw)
            });
        }
        if repair {
            self.repairs.push(Arc::clone(&self.records[at]));
        }
    }
}
