//! The ownership records of a zone, found by name.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use hashbrown::HashTable;

use super::registry::Registry;
use crate::{Endpoint, Name, RecordType};

/// The ownership records of a zone.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    pub(super) entries: Vec<Entry>,
    /// Places in `entries`: names are not kept twice.
    places: HashTable<usize>,
    hasher: RandomState,
    /// Whether any name has no type.
    has_untyped: bool,
}

/// An ownership record set.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// As it was read.
    pub(super) txt: Arc<Endpoint>,
    hash: u64,
    /// How many records it is for by the name that is written today.
    pub(super) claims: u32,
    /// How many records may read it by a name of former days.
    pub(super) readers: u32,
    /// Whether records of several names have it, so that nobody knows whose it is.
    pub(super) ambiguous: bool,
    /// Whether it names us.
    pub(super) ours: bool,
    /// Whether its name tells no type, as before external-dns 0.12.
    untyped: bool,
}

/// Where a record has its ownership record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    /// The place in the index.
    pub(super) place: usize,
    /// Whether it is the one that is written today.
    pub(super) current: bool,
}

impl Index {
    /// An index of some record sets, of those that have names.
    pub(super) fn new<'a>(
        registry: &Registry,
        zone: &Name,
        sets: impl ExactSizeIterator<Item = (&'a Arc<Endpoint>, bool)>,
    ) -> Self {
        let mut index = Self {
            entries: Vec::with_capacity(sets.len()),
            ..Self::default()
        };
        index.places.reserve(sets.len(), |_| 0);
        for (txt, ours) in sets {
            let Ok(name) = txt.name() else { continue };
            let untyped = registry
                .affix
                .record_of(zone, &name)
                .is_some_and(|(_, kind)| kind.is_none());
            index.has_untyped |= untyped;
            let hash = index.hasher.hash_one((name.as_str(), &*txt.set_identifier));
            let place = index.entries.len();
            index.entries.push(Entry {
                txt: Arc::clone(txt),
                hash,
                claims: 0,
                readers: 0,
                ambiguous: false,
                ours,
                untyped,
            });
            let entries = &index.entries;
            index
                .places
                .insert_unique(hash, place, |&place| entries[place].hash);
        }
        index
    }

    /// The place of the ownership record set of a name.
    pub(super) fn find(&self, name: &str, set_identifier: &str) -> Option<usize> {
        let hash = self.hasher.hash_one((name, set_identifier));
        let found = self.places.find(hash, |&place| {
            let txt = &self.entries[place].txt;
            *txt.set_identifier == *set_identifier && is_spelling_of(&txt.dns_name, name)
        });
        found.copied()
    }

    /// The ownership record of a record under the name that is written today.
    pub(super) fn current(
        &self,
        registry: &Registry,
        zone: &Name,
        record: &Endpoint,
        name: &Name,
        text: &mut String,
    ) -> Option<usize> {
        registry
            .affix
            .write_txt_name(zone, name, &record.record_type, text);
        self.find(text, &record.set_identifier)
    }

    /// The ownership records of a record under the names of former days: that of an alias
    /// at AWS, which was named after a CNAME, and that without a type. Those that are for
    /// another record by the name that is written today do not count.
    pub(super) fn former(
        &self,
        registry: &Registry,
        zone: &Name,
        record: &Endpoint,
        name: &Name,
    ) -> [Option<usize>; 2] {
        let mut text = String::new();
        let mut alias = None;
        if is_alias(record) {
            registry
                .affix
                .write_txt_name(zone, name, &RecordType::Cname, &mut text);
            alias = self.find(&text, &record.set_identifier);
        }
        let mut untyped = None;
        if self.has_untyped && record.record_type != RecordType::Aaaa {
            registry.affix.write_untyped_name(name, &mut text);
            untyped = self
                .find(&text, &record.set_identifier)
                .filter(|&at| self.entries[at].untyped);
        }
        [alias, untyped].map(|place| place.filter(|&place| self.entries[place].claims == 0))
    }

    /// Whether a record may have ownership records under names of former days.
    pub(super) fn may_have_former(&self, record: &Endpoint) -> bool {
        self.has_untyped || is_alias(record)
    }
}

/// Whether a record is an address that AWS finds by itself (external-dns's property
/// `alias`).
fn is_alias(record: &Endpoint) -> bool {
    let alias = |name: &str, value: &str| name == "alias" && matches!(value, "true" | "A");
    record.record_type == RecordType::A
        && record
            .provider_specific
            .iter()
            .any(|property| alias(&property.name, &property.value))
}

/// Whether a text spells a name, which mostly it does to the letter.
fn is_spelling_of(text: &str, name: &str) -> bool {
    text == name || Name::parse(text).is_ok_and(|parsed| parsed.as_str() == name)
}
