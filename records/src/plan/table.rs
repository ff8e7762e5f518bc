//! What zones hold and what is wanted, side by side.

use std::borrow::Cow;
use std::hash::BuildHasher;
use std::sync::Arc;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::Reason;
use super::row::{Decisions, Row};
use crate::Endpoint;
use crate::name::canonical;

/// The end of a chain.
const END: u32 = u32::MAX;

/// Rows by name and set identifier. Nothing is copied and no row has a list of its own:
/// endpoints are chained through their places in the slices. Places have 32 bits: less memory
/// is fetched.
pub(super) struct Table<'a> {
    current: &'a [Arc<Endpoint>],
    wanted: &'a [Endpoint],
    rows: Vec<Heads<'a>>,
    next_current: Vec<u32>,
    next_wanted: Vec<u32>,
}

/// A row, and where its two chains begin.
struct Heads<'a> {
    name: Cow<'a, str>,
    set_identifier: &'a str,
    current: u32,
    wanted: u32,
    /// Whether there is one record, and it is as the one endpoint wants it. Most rows are
    /// like this, and are found to be so while their record is at hand: in large zones the
    /// time goes into fetching memory.
    is_settled: bool,
}

impl<'a> Table<'a> {
    /// The table of what the rules look at; what is wanted and not looked at is remarked on.
    pub(super) fn new(
        current: &'a [Arc<Endpoint>],
        wanted: &'a [Endpoint],
        decisions: &mut Decisions<'_>,
    ) -> Self {
        let rules = decisions.rules;
        let mut index = Index::with_capacity(current.len().max(wanted.len()));
        let mut next_wanted = vec![END; wanted.len()];
        for (place, endpoint) in (0..).zip(wanted) {
            match canonical(&endpoint.dns_name) {
                Err(error) => decisions.remark(endpoint, Reason::InvalidName(error.to_string())),
                Ok(_) if !rules.managed.contains(&endpoint.record_type) => {
                    decisions.remark(endpoint, Reason::TypeNotManaged);
                }
                Ok(name) if !rules.takes_name(&name) => {
                    decisions.remark(endpoint, Reason::OutsideDomainFilter);
                }
                Ok(name) => {
                    let row = index.row(name, &endpoint.set_identifier);
                    next_wanted[place as usize] = std::mem::replace(&mut row.wanted, place);
                }
            }
        }
        let mut next_current = vec![END; current.len()];
        for (place, endpoint) in (0..).zip(current) {
            if let Ok(name) = canonical(&endpoint.dns_name)
                && rules.takes(&endpoint.record_type, &name)
            {
                let row = index.row(name, &endpoint.set_identifier);
                row.is_settled = row.current == END
                    && row.wanted != END
                    && next_wanted[row.wanted as usize] == END
                    && rules.is_settled(endpoint, &wanted[row.wanted as usize]);
                next_current[place as usize] = std::mem::replace(&mut row.current, place);
            }
        }
        Self {
            current,
            wanted,
            rows: index.rows,
            next_current,
            next_wanted,
        }
    }

    /// Hands out each row of which there is something to decide once, in no order.
    pub(super) fn for_each_open_row<'t>(&'t self, mut visit: impl FnMut(&Row<'t, '_>)) {
        let (mut current, mut wanted) = (Vec::new(), Vec::new());
        for heads in self.rows.iter().filter(|heads| !heads.is_settled) {
            current.clear();
            current.extend(chain(heads.current, &self.next_current).map(|place| &*self.current[place]));
            wanted.clear();
            wanted.extend(chain(heads.wanted, &self.next_wanted).map(|place| &self.wanted[place]));
            visit(&Row {
                name: &heads.name,
                current: &current,
                wanted: &wanted,
            });
        }
    }
}

/// The places of a chain.
fn chain(head: u32, next: &[u32]) -> impl Iterator<Item = usize> {
    let place = |place| (place != END).then_some(place as usize);
    std::iter::successors(place(head), move |&last| place(next[last]))
}

/// Rows in the order in which they came, and where to find them.
struct Index<'a> {
    rows: Vec<Heads<'a>>,
    places: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl<'a> Index<'a> {
    fn with_capacity(capacity: usize) -> Self {
        Self {
            rows: Vec::with_capacity(capacity),
            places: HashTable::with_capacity(capacity),
            hasher: DefaultHashBuilder::default(),
        }
    }

    /// The row of a name and set identifier; a new one if there is none.
    fn row(&mut self, name: Cow<'a, str>, set_identifier: &'a str) -> &mut Heads<'a> {
        let Self { rows, places, hasher } = self;
        let hash = hasher.hash_one((&*name, set_identifier));
        let is_same = |&place: &u32| {
            let heads: &Heads<'_> = &rows[place as usize];
            heads.name == name && heads.set_identifier == set_identifier
        };
        let rehash = |&place: &u32| {
            let heads = &rows[place as usize];
            hasher.hash_one((&*heads.name, heads.set_identifier))
        };
        // More rows would not fit into memory.
        let new = u32::try_from(rows.len()).unwrap_or(END);
        let place = *places.entry(hash, is_same, rehash).or_insert(new).get();
        if place == new {
            rows.push(Heads {
                name,
                set_identifier,
                current: END,
                wanted: END,
                is_settled: false,
            });
        }
        &mut rows[place as usize]
    }
}
