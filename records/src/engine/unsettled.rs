//! What there is to decide on, of what a zone holds and what is wanted.

use std::borrow::Cow;
use std::collections::HashSet;
use std::hash::BuildHasher;
use std::sync::Arc;

use hashbrown::{DefaultHashBuilder, HashTable};

use crate::name::canonical;
use crate::ownership::{HeldRecord, Holdings};
use crate::plan::Rules;
use crate::record_list::{Packed, Place};
use crate::{Endpoint, RecordList};

/// What a plan is made of, without the records that are as they are wanted and those of
/// others that nobody asks for: they make no difference to it, and are almost all of a large
/// zone.
pub(super) struct Unsettled {
    pub(super) current: Vec<Arc<Endpoint>>,
    pub(super) wanted: Vec<Endpoint>,
}

/// What is found at a name and set identifier.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// One endpoint, and nothing of the zone so far.
    Wanted,
    /// One endpoint, and one record that is as it wants it.
    Settled,
    /// Anything else.
    Open,
}

/// The wanted endpoints by name and set identifier.
struct Rows<'a> {
    wanted: &'a RecordList,
    /// The first of each name and set identifier.
    places: HashTable<Place>,
    hasher: DefaultHashBuilder,
    /// By the number of that place.
    states: Vec<State>,
}

impl Unsettled {
    pub(super) fn of(holdings: &Holdings, wanted: &RecordList, rules: &Rules) -> Self {
        let mut rows = Rows::new(wanted, rules);
        let mut gone = HashSet::<(Box<str>, Box<str>)>::new();
        for record in holdings.held() {
            let Some(name) = looked_at(&record.packed, rules) else {
                continue;
            };
            let set_identifier = record.packed.set_identifier;
            match rows.find(&name, set_identifier) {
                Some(place) => rows.meet(place, &record, rules),
                None if rules.owns(&record.endpoint()) => {
                    gone.insert((name.into(), set_identifier.into()));
                }
                None => {}
            }
        }
        let is_open = |record: &HeldRecord<'_>| {
            let Some(name) = looked_at(&record.packed, rules) else {
                return false;
            };
            match rows.find(&name, record.packed.set_identifier) {
                Some(place) => rows.states[place.number()] == State::Open,
                None => gone.contains(&(name.into(), record.packed.set_identifier.into())),
            }
        };
        let current = holdings.held().filter(is_open);
        let wanted = wanted.places();
        let wanted = wanted.filter(|(place, _)| rows.states[place.number()] != State::Settled);
        Self {
            current: current.map(|record| Arc::new(record.endpoint())).collect(),
            wanted: wanted.map(|(_, endpoint)| endpoint.endpoint()).collect(),
        }
    }
}

impl<'a> Rows<'a> {
    fn new(wanted: &'a RecordList, rules: &Rules) -> Self {
        let mut rows = Self {
            wanted,
            places: HashTable::with_capacity(wanted.len()),
            hasher: DefaultHashBuilder::default(),
            states: vec![State::Open; wanted.places_end()],
        };
        for (place, endpoint) in wanted.places() {
            let Some(name) = looked_at(&endpoint, rules) else {
                continue;
            };
            if let Some(first) = rows.find(&name, endpoint.set_identifier) {
                rows.states[first.number()] = State::Open;
                continue;
            }
            rows.states[place.number()] = State::Wanted;
            let Self { places, hasher, .. } = &mut rows;
            let hash = |place: Place| {
                let endpoint = wanted.at(place);
                let name = canonical(endpoint.dns_name).unwrap_or_default();
                hasher.hash_one((&*name, endpoint.set_identifier))
            };
            places.insert_unique(hash(place), place, |place| hash(*place));
        }
        rows
    }

    /// The place of the first endpoint of a name and set identifier.
    fn find(&self, name: &str, set_identifier: &str) -> Option<Place> {
        let hash = self.hasher.hash_one((name, set_identifier));
        let found = self.places.find(hash, |&place| {
            let endpoint = self.wanted.at(place);
            endpoint.set_identifier == set_identifier
                && canonical(endpoint.dns_name).is_ok_and(|wanted| wanted == name)
        });
        found.copied()
    }

    /// Takes note of a record of the zone.
    fn meet(&mut self, place: Place, record: &HeldRecord<'_>, rules: &Rules) {
        let state = &mut self.states[place.number()];
        let is_settled = || {
            let wanted = self.wanted.at(place);
            let same = rules.old_owner.is_none() && record.packed.has_data_of(&wanted);
            same || rules.is_settled(&record.endpoint(), &wanted.endpoint())
        };
        *state = match state {
            State::Wanted if is_settled() => State::Settled,
            _ => State::Open,
        };
    }
}

/// The name of a record by which it is compared, if the rules look at it.
fn looked_at<'a>(record: &Packed<'a>, rules: &Rules) -> Option<Cow<'a, str>> {
    if !rules.managed.contains(&record.record_type()) {
        return None;
    }
    let name = canonical(record.dns_name).ok()?;
    rules.takes_name(&name).then_some(name)
}
