//! What has changed from one state of a zone to the next.

use std::collections::BTreeSet;

use records::record_list::Step;
use records::{Endpoint, RecordList};

use super::State;
use crate::revision::{Digests, part};

/// A state, and what makes it differ from the one before.
pub(super) struct Comparison {
    pub parts: Box<[u8]>,
    pub digests: Digests,
    /// The names at which something has changed; none where there was nothing before.
    pub touched: BTreeSet<Box<str>>,
}

/// Compares records in the order of their zone with the state before.
pub(super) fn compare(before: Option<&State>, after: &RecordList) -> Comparison {
    let nothing = RecordList::default();
    let (old, old_parts) = before.map_or((&nothing, &[][..]), |state| (state.records(), state.parts()));
    let mut merge = Merge {
        digests: before.map_or_else(Digests::default, |state| state.digests().clone()),
        old_parts,
        parts: Vec::with_capacity(after.len()),
        touched: before.is_some().then(BTreeSet::new),
    };
    for step in after.difference(old) {
        merge.step(step);
    }
    Comparison {
        parts: merge.parts.into(),
        digests: merge.digests,
        touched: merge.touched.unwrap_or_default(),
    }
}

struct Merge<'a> {
    digests: Digests,
    /// The parts of what was there and has not been stepped over.
    old_parts: &'a [u8],
    parts: Vec<u8>,
    /// None if nobody knows anything before.
    touched: Option<BTreeSet<Box<str>>>,
}

impl<'a> Merge<'a> {
    fn step(&mut self, step: Step) {
        match step {
            Step::Kept(count) => {
                let kept = self.old_parts(count);
                self.parts.extend_from_slice(kept);
            }
            Step::Added(new) => {
                let part = part(&new.place());
                self.parts.push(part);
                self.digests.put_in(part, &new);
                self.touch(&new);
            }
            Step::Removed(old) => {
                for part in self.old_parts(1) {
                    self.digests.take_out(*part, &old);
                }
                self.touch(&old);
            }
            Step::Replaced { old, new } => {
                let kept = self.old_parts(1);
                self.parts.extend_from_slice(kept);
                if old.same_records(&new) {
                    return;
                }
                for part in kept {
                    self.digests.take_out(*part, &old);
                    self.digests.put_in(*part, &new);
                }
                self.touch(&new);
            }
        }
    }

    /// The parts of the next record sets of those that were there.
    fn old_parts(&mut self, count: usize) -> &'a [u8] {
        let (next, rest) = self.old_parts.split_at(count.min(self.old_parts.len()));
        self.old_parts = rest;
        next
    }

    fn touch(&mut self, record: &Endpoint) {
        let Some(touched) = &mut self.touched else {
            return;
        };
        let place = record.place();
        if !touched.contains(&*place) {
            touched.insert(place.into());
        }
    }
}
