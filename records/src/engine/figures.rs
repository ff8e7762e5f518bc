//! How many record sets a pass has seen.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::{Endpoint, Name, RecordType};

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
    pub(super) fn count_held(&mut self, held: &[Arc<Endpoint>], wanted: &[Endpoint]) {
        let mut open = HashMap::<_, usize>::with_capacity(wanted.len());
        for endpoint in wanted {
            *open.entry((name(endpoint), &endpoint.record_type)).or_default() += 1;
        }
        for record in held {
            add(&mut self.held, &record.record_type, 1);
            if let Some(count) = open.remove(&(name(record), &record.record_type)) {
                add(&mut self.verified, &record.record_type, count);
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

/// The name in its one form; most are written in it.
fn name(endpoint: &Endpoint) -> Cow<'_, str> {
    let text = &*endpoint.dns_name;
    let plain =
        |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit() || b"-_.".contains(&letter);
    if text.bytes().all(plain) && !text.ends_with('.') {
        return text.into();
    }
    Name::parse(text).map_or(text.into(), |name| name.as_str().to_owned().into())
}
