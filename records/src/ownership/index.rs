//! The ownership records of a zone, found by name.

use std::hash::{BuildHasher, RandomState};
use std::num::NonZeroU32;

use hashbrown::HashTable;

use super::label::OWNER;
use super::registry::Registry;
use crate::record_list::{Packed, Place};
use crate::{Endpoint, InvalidName, Labels, Name, RecordList, RecordType};

/// The ownership records of a zone.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    /// The zone's records.
    pub(super) records: RecordList,
    pub(super) entries: Vec<Entry>,
    /// Places in `entries`: names are not kept twice.
    places: HashTable<u32>,
    hasher: RandomState,
    /// Whether any name has no type.
    has_untyped: bool,
}

/// An ownership record set.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// As it was read.
    pub(super) txt: Place,
    /// How many records it is for by the name that is written today.
    pub(super) claims: u32,
    /// How many records may read it by a name of former days.
    pub(super) readers: u32,
    /// Whether records of several names have it, so that nobody knows whose it is.
    pub(super) ambiguous: bool,
    /// Whom it names.
    pub(super) owner: Owner,
    /// Whether its name tells no type, as before external-dns 0.12.
    untyped: bool,
}

/// Whom an ownership record names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// Us.
    Us,
    /// The owner that we take over from.
    Former,
    /// Somebody else, or nobody.
    Other,
}

impl Owner {
    fn told(labels: &Labels, registry: &Registry) -> Self {
        if !registry.is_ours(labels) {
            Self::Other
        } else if labels.get(OWNER) == Some(registry.owner()) {
            Self::Us
        } else {
            Self::Former
        }
    }
}

impl Entry {
    /// Whether it names us, or the owner that we take over from.
    pub(super) fn is_ours(&self) -> bool {
        self.owner != Owner::Other
    }
}

/// Where a record has its ownership record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark(NonZeroU32);

impl Mark {
    /// The place in the index, and whether the ownership record is the one that is written
    /// today.
    pub(super) fn new(place: usize, current: bool) -> Self {
        // A zone of more ownership records would not fit into memory.
        let place = u32::try_from(place).unwrap_or(u32::MAX / 2);
        Self(NonZeroU32::MIN.saturating_add(2 * place + u32::from(current)))
    }

    pub(super) fn place(self) -> usize {
        (self.0.get() - 1) as usize / 2
    }

    pub(super) fn is_current(self) -> bool {
        (self.0.get() - 1) % 2 == 1
    }
}

/// What the ownership records of a record are named after.
pub(super) struct Subject<'a> {
    pub(super) name: Name,
    pub(super) record_type: RecordType,
    pub(super) set_identifier: &'a str,
    /// Whether it is an address that AWS finds by itself.
    pub(super) is_alias: bool,
}

impl<'a> Subject<'a> {
    pub(super) fn of_endpoint(record: &'a Endpoint) -> Result<Self, InvalidName> {
        let mut properties = record.provider_specific.iter();
        Ok(Self {
            name: record.name()?,
            record_type: record.record_type.clone(),
            set_identifier: &record.set_identifier,
            is_alias: record.record_type == RecordType::A
                && properties.any(|property| is_alias(&property.name, &property.value)),
        })
    }

    pub(super) fn of_packed(record: &Packed<'a>) -> Result<Self, InvalidName> {
        let record_type = record.record_type();
        Ok(Self {
            name: record.name()?,
            set_identifier: record.set_identifier,
            is_alias: record_type == RecordType::A
                && record
                    .provider_specific()
                    .any(|(name, value)| is_alias(name, value)),
            record_type,
        })
    }
}

impl Index {
    /// An index of the ownership records among some record sets, each with what it tells.
    pub(super) fn new(
        registry: &Registry,
        zone: &Name,
        records: &RecordList,
        sets: impl Iterator<Item = (Place, Labels)>,
    ) -> Self {
        let mut index = Self::without_entries(records);
        for (txt, told) in sets {
            let Ok(name) = index.records.at(txt).name() else {
                continue;
            };
            let untyped = registry
                .affix
                .record_of(zone, &name)
                .is_some_and(|(_, kind)| kind.is_none());
            index.has_untyped |= untyped;
            index.entries.push(Entry {
                txt,
                claims: 0,
                readers: 0,
                ambiguous: false,
                owner: Owner::told(&told, registry),
                untyped,
            });
        }
        index.entries.shrink_to_fit();
        index.find_by_name();
        index
    }

    /// An index of none among some record sets.
    pub(super) fn without_entries(records: &RecordList) -> Self {
        Self {
            records: records.clone(),
            ..Self::default()
        }
    }

    /// Fills in where the entries are found.
    fn find_by_name(&mut self) {
        let hash = |entry: &Entry| {
            let txt = self.records.at(entry.txt);
            let name = txt.name().unwrap_or_default();
            self.hasher.hash_one((name.as_str(), txt.set_identifier))
        };
        let mut places = HashTable::with_capacity(self.entries.len());
        for (entry, place) in self.entries.iter().zip(0..) {
            places.insert_unique(hash(entry), place, |&place: &u32| {
                hash(&self.entries[place as usize])
            });
        }
        self.places = places;
    }

    /// The place of the ownership record set of a name.
    pub(super) fn find(&self, name: &str, set_identifier: &str) -> Option<usize> {
        let hash = self.hasher.hash_one((name, set_identifier));
        let found = self.places.find(hash, |&place| {
            let txt = self.records.at(self.entries[place as usize].txt);
            txt.set_identifier == set_identifier && is_spelling_of(txt.dns_name, name)
        });
        found.map(|&place| place as usize)
    }

    /// An ownership record set as it was read.
    pub(super) fn txt(&self, entry: &Entry) -> Endpoint {
        self.records.at(entry.txt).endpoint()
    }

    /// The ownership record of a record under the name that is written today.
    pub(super) fn current(
        &self,
        registry: &Registry,
        zone: &Name,
        record: &Subject<'_>,
        text: &mut String,
    ) -> Option<usize> {
        registry
            .affix
            .write_txt_name(zone, &record.name, &record.record_type, text);
        self.find(text, record.set_identifier)
    }

    /// The ownership records of a record under the names of former days: that of an alias
    /// at AWS, which was named after a CNAME, and that without a type. Those that are for
    /// another record by the name that is written today do not count.
    pub(super) fn former(
        &self,
        registry: &Registry,
        zone: &Name,
        record: &Subject<'_>,
    ) -> [Option<usize>; 2] {
        let mut text = String::new();
        let mut alias = None;
        if record.is_alias {
            registry
                .affix
                .write_txt_name(zone, &record.name, &RecordType::Cname, &mut text);
            alias = self.find(&text, record.set_identifier);
        }
        let mut untyped = None;
        if self.has_untyped && record.record_type != RecordType::Aaaa {
            registry.affix.write_untyped_name(&record.name, &mut text);
            untyped = self
                .find(&text, record.set_identifier)
                .filter(|&at| self.entries[at].untyped);
        }
        [alias, untyped].map(|place| place.filter(|&place| self.entries[place].claims == 0))
    }

    /// Whether a record may have ownership records under names of former days.
    pub(super) fn may_have_former(&self, record: &Subject<'_>) -> bool {
        self.has_untyped || record.is_alias
    }
}

/// Whether a property says that AWS finds an address by itself (external-dns's `alias`).
fn is_alias(name: &str, value: &str) -> bool {
    name == "alias" && matches!(value, "true" | "A")
}

/// Whether a text spells a name, which mostly it does to the letter.
fn is_spelling_of(text: &str, name: &str) -> bool {
    text == name || Name::parse(text).is_ok_and(|parsed| parsed.as_str() == name)
}
