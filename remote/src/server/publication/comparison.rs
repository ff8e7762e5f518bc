//! What has changed from one state of a zone to the next.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::Arc;

use records::{Endpoint, ZoneRecords};

use super::State;
use crate::revision::{Digests, part};

/// A state, and what makes it differ from the one before.
pub(super) struct Comparison {
    pub parts: Box<[u8]>,
    pub digests: Digests,
    /// The names at which something has changed.
    pub touched: BTreeSet<Box<str>>,
}

/// Records in the order of their places; the same ones if they are in it.
pub(super) fn in_order(source: &Arc<ZoneRecords>) -> Arc<ZoneRecords> {
    let sorted = source
        .records
        .is_sorted_by(|one, other| Arc::ptr_eq(one, other) || order(one, other).is_le());
    if sorted {
        return Arc::clone(source);
    }
    let mut records = source.records.clone();
    records.sort_by(|one, other| order(one, other));
    Arc::new(ZoneRecords {
        records,
        version: source.version.clone(),
    })
}

/// Compares records in order with the state before.
pub(super) fn compare(before: Option<&State>, after: &ZoneRecords) -> Comparison {
    let (old, old_parts) = before.map_or((&[][..], &[][..]), |state| (state.records(), state.parts()));
    let new = &after.records[..];
    let start = shared(old.iter().zip(new));
    let end = shared(old[start..].iter().rev().zip(new[start..].iter().rev()));
    let mut parts = Vec::with_capacity(new.len());
    parts.extend_from_slice(&old_parts[..start]);
    let mut merge = Merge {
        digests: before.map_or_else(Digests::default, |state| state.digests().clone()),
        touched: BTreeSet::new(),
        is_first: before.is_none(),
        parts,
    };
    merge.run(
        &old[start..old.len() - end],
        &old_parts[start..old.len() - end],
        &new[start..new.len() - end],
    );
    merge.parts.extend_from_slice(&old_parts[old.len() - end..]);
    Comparison {
        parts: merge.parts.into(),
        digests: merge.digests,
        touched: merge.touched,
    }
}

/// How many pairs are the same in memory before the first that is not.
fn shared<'a>(pairs: impl Iterator<Item = (&'a Arc<Endpoint>, &'a Arc<Endpoint>)>) -> usize {
    pairs.take_while(|(old, new)| Arc::ptr_eq(old, new)).count()
}

struct Merge {
    digests: Digests,
    parts: Vec<u8>,
    touched: BTreeSet<Box<str>>,
    /// Whether there is nothing to compare with: no name is touched then.
    is_first: bool,
}

impl Merge {
    fn run(&mut self, old: &[Arc<Endpoint>], old_parts: &[u8], new: &[Arc<Endpoint>]) {
        let mut old = old.iter().zip(old_parts.iter().copied()).peekable();
        let mut new = new.iter().peekable();
        loop {
            let side = match (old.peek(), new.peek()) {
                (None, None) => return,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some((old, _)), Some(new)) => order(old, new),
            };
            let (old, new) = match side {
                Ordering::Less => (old.next(), None),
                Ordering::Greater => (None, new.next()),
                Ordering::Equal => (old.next(), new.next()),
            };
            self.step(old, new);
        }
    }

    /// Takes in what stands at one key before and after.
    fn step(&mut self, old: Option<(&Arc<Endpoint>, u8)>, new: Option<&Arc<Endpoint>>) {
        if let (Some((old, part)), Some(new)) = (old, new)
            && (Arc::ptr_eq(old, new) || old.same_records(new))
        {
            self.parts.push(part);
            return;
        }
        if let Some((old, part)) = old {
            self.digests.take_out(part, old);
            self.touch(old);
        }
        if let Some(new) = new {
            let part = old.map_or_else(|| part(&new.place()), |(_, part)| part);
            self.digests.put_in(part, new);
            self.parts.push(part);
            self.touch(new);
        }
    }

    fn touch(&mut self, record: &Endpoint) {
        let place = record.place();
        if !self.is_first && !self.touched.contains(&*place) {
            self.touched.insert(place.into());
        }
    }
}

/// The order of a zone: by place, type and set identifier.
fn order(one: &Endpoint, other: &Endpoint) -> Ordering {
    one.place()
        .cmp(&other.place())
        .then_with(|| one.record_type.cmp(&other.record_type))
        .then_with(|| one.set_identifier.cmp(&other.set_identifier))
}
