//! How many record sets a pass has seen.

use std::collections::{BTreeMap, HashMap};

use crate::name::place;
use crate::record_list::Packed;
use crate::{Endpoint, RecordList, RecordType};

/// How many record sets a pass has seen, by type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// What is wanted, once those that want the same are merged: external-dns's
    /// `source_records`.
    pub wanted: BTreeMap<RecordType, usize>,
    /// What the zones held before the pass, but for records that only tell who owns others:
    /// external-dns's `registry_records`.
    pub held: BTreeMap<RecordType, usize>,
    /// What is wanted and has a record set of its name and type there, whatever that says:
    /// external-dns's `controller_verified_records`.
    pub verified: BTreeMap<RecordType, usize>,
}

impl Figures {
    /// Counts what is wanted, in a zone or not.
    pub(super) fn count_wanted(&mut self, wanted: &[Endpoint]) {
        for endpoint in wanted {
            add(&mut self.wanted, &endpoint.record_type, 1);
        }
    }

    /// Counts what a zone holds, and what of it is wanted.
    pub(super) fn count_held<'a>(&mut self, held: impl Iterator<Item = Packed<'a>>, wanted: &RecordList) {
        let mut open = HashMap::<_, usize>::with_capacity(wanted.len());
        for (_, endpoint) in wanted.places() {
            *open
                .entry((place(endpoint.dns_name), endpoint.record_type()))
                .or_default() += 1;
        }
        for record in held {
            let record_type = record.record_type();
            add(&mut self.held, &record_type, 1);
            let key = (place(record.dns_name), record_type);
            if let Some(count) = open.remove(&key) {
                add(&mut self.verified, &key.1, count);
            }
        }
    }
}

fn add(counts: &mut BTreeMap<RecordType, usize>, record_type: &RecordType, count: usize) {
    match counts.get_mut(record_type) {
        Some(known) => *known += count,
        None => {
            counts.insert(record_type.clone(), count);
        }
    }
}
