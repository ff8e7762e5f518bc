//! Lists in the order of a zone.

use std::cmp::Ordering;

use super::{Packed, RecordList};
use crate::Endpoint;

impl RecordList {
    /// Brings the record sets into the order of a zone: by place ([`Endpoint::place`]), type
    /// and set identifier.
    pub fn sort(&mut self) {
        self.sort_by(compare);
    }

    /// The record sets at a place, of a list in the order of a zone.
    #[must_use]
    pub fn at_place(&self, place: &str) -> Vec<Endpoint> {
        let range = self.equal_range(|record| (*record.place()).cmp(place));
        self.range(range).map(|record| record.endpoint()).collect()
    }
}

/// The order of a zone.
pub(super) fn compare(one: &Packed<'_>, other: &Packed<'_>) -> Ordering {
    one.place()
        .cmp(&other.place())
        .then_with(|| one.record_type().cmp(&other.record_type()))
        .then_with(|| one.set_identifier.cmp(other.set_identifier))
}
