//! What has become of a zone since it was read: Route 53 counts its record sets and tells
//! them in pages, and has nothing that says which have changed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::listing::{Page, Start};
use super::presentation;
use crate::{Endpoint, Name, ZoneVersion};

/// More names than this that differ from what is known make the zone be read again: it
/// costs as much.
pub(super) const MOST_DIFFERENT: usize = 10;

/// What is remembered of a zone between two looks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    /// Sets that are counted and not among the records, such as the SOA record.
    pub unlisted: usize,
    /// Where the next page to look at begins.
    pub next: Start,
}

impl State {
    /// The version that stands for it.
    pub(super) fn version(&self) -> ZoneVersion {
        let name = self.next.name.as_deref().unwrap_or_default();
        ZoneVersion(format!("{} {name}", self.unlisted).into())
    }

    /// The state that a version stands for, if it is one of ours.
    pub(super) fn of(version: &ZoneVersion) -> Option<Self> {
        let (unlisted, name) = version.0.split_once(' ')?;
        Some(Self {
            unlisted: unlisted.parse().ok()?,
            next: Start::at(name),
        })
    }
}

/// How a page differs from what is known.
#[derive(Debug, Default)]
pub(super) struct Difference {
    /// Names of the page that hold something else, with what they hold.
    pub names: BTreeMap<Name, Vec<Endpoint>>,
    /// Names that are known, and that the page seems to pass over.
    pub missing: BTreeSet<Name>,
}

/// Compares a page of whole names with what is known.
pub(super) fn compare(
    known: &[Arc<Endpoint>],
    start: &Start,
    page: &Page,
    listed: impl Iterator<Item = Endpoint>,
) -> Difference {
    let mut found = BTreeMap::<Name, Vec<Endpoint>>::new();
    for endpoint in listed {
        if let Ok(name) = endpoint.name() {
            found.entry(name).or_default().push(endpoint);
        }
    }
    let bound = |start: &Start| start.name.as_deref().map(|name| order(&presentation::name(name)));
    let (from, to) = (bound(start), page.next.as_ref().and_then(bound));
    let is_within = |name: &str| {
        let place = order(name);
        from.as_ref().is_none_or(|from| place >= *from) && to.as_ref().is_none_or(|to| place < *to)
    };
    let mut believed = BTreeMap::<Name, Vec<&Endpoint>>::new();
    for endpoint in known {
        if let Ok(name) = endpoint.name()
            && (found.contains_key(&name) || is_within(name.as_str()))
        {
            believed.entry(name).or_default().push(endpoint);
        }
    }
    let missing = believed.keys().filter(|name| !found.contains_key(name));
    let missing = missing.cloned().collect();
    found.retain(|name, there| !same(there, believed.get(name).map_or(&[], Vec::as_slice)));
    Difference {
        names: found,
        missing,
    }
}

/// Whether a name holds something else than is known.
pub(super) fn differs(known: &[Arc<Endpoint>], name: &Name, there: &[Endpoint]) -> bool {
    let known = known.iter().map(|endpoint| &**endpoint);
    let believed: Vec<&Endpoint> = known
        .filter(|endpoint| endpoint.name().as_ref() == Ok(name))
        .collect();
    !same(there, &believed)
}

/// Whether a name holds what is believed.
fn same(there: &[Endpoint], believed: &[&Endpoint]) -> bool {
    let is_believed = |endpoint: &Endpoint| believed.iter().any(|known| known.same_records(endpoint));
    there.len() == believed.len() && there.iter().all(is_believed)
}

/// Where a name stands in Route 53's lists: they go by labels from the last to the first.
fn order(name: &str) -> String {
    name.rsplit('.').collect::<Vec<_>>().join(".")
}
