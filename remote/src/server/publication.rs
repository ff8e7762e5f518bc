//! A zone as it is told to clients: its records, the revision of them, and what has changed
//! since earlier ones.
//!
//! Each state is found by comparing what the cache holds now with what it held before; what
//! both share in memory is not looked at. Readers have whole states, which never change.

mod comparison;
mod history;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use records::{Endpoint, RecordList, ZoneRecords};
use tokio::sync::watch;

use self::comparison::compare;
use self::history::History;
pub use crate::protocol::zones::Basis;
use crate::revision::{Digests, PARTS, Revision};

/// A published zone.
#[derive(Debug)]
pub struct Publication {
    current: Mutex<Option<Arc<State>>>,
    history: Mutex<History>,
    told: watch::Sender<Option<Revision>>,
}

/// A state of a zone.
#[derive(Debug)]
pub struct State {
    /// What the cache told; it is the same in memory as long as nothing changes.
    source: Arc<ZoneRecords>,
    /// The part of each record set.
    parts: Box<[u8]>,
    digests: Digests,
}

impl State {
    /// Its revision.
    #[must_use]
    pub fn revision(&self) -> Revision {
        self.digests.revision()
    }

    /// The digests of its parts.
    #[must_use]
    pub fn digests(&self) -> &Digests {
        &self.digests
    }

    /// All record sets, in the order of their places.
    #[must_use]
    pub fn records(&self) -> &RecordList {
        &self.source.records
    }

    /// The part of each record set.
    #[must_use]
    pub fn parts(&self) -> &[u8] {
        &self.parts
    }

    /// The record sets at a name.
    #[must_use]
    pub fn at(&self, name: &str) -> Vec<Endpoint> {
        self.records().at_place(name)
    }

    /// The record sets of some parts. Others are not looked at.
    pub fn of_parts(&self, wanted: &BTreeSet<u8>) -> impl Iterator<Item = Endpoint> {
        let mut records = self.records().iter();
        let places = self.parts.iter().enumerate();
        let places = places.filter(|(_, part)| wanted.contains(part));
        let mut passed = 0;
        places.filter_map(move |(place, _)| {
            let record = records.nth(place - passed);
            passed = place + 1;
            record
        })
    }
}

impl Default for Publication {
    fn default() -> Self {
        Self {
            current: Mutex::default(),
            history: Mutex::default(),
            told: watch::Sender::new(None),
        }
    }
}

impl Publication {
    /// The state that was published last; none if there was none yet.
    pub fn current(&self) -> Option<Arc<State>> {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        current.clone()
    }

    /// Follows the revision.
    pub fn watch(&self) -> watch::Receiver<Option<Revision>> {
        self.told.subscribe()
    }

    /// Publishes what the cache holds now, in the order of the zone, if it is not what was
    /// published last.
    pub fn publish(&self, source: &Arc<ZoneRecords>) -> Arc<State> {
        // Held over the comparison: of two that publish, the second compares with the first.
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(state) = &*current
            && Arc::ptr_eq(&state.source, source)
        {
            return Arc::clone(state);
        }
        let comparison = compare(current.as_deref(), &source.records);
        let state = Arc::new(State {
            source: Arc::clone(source),
            parts: comparison.parts,
            digests: comparison.digests,
        });
        if let Some(before) = current.replace(Arc::clone(&state)) {
            let mut history = self.history.lock().unwrap_or_else(PoisonError::into_inner);
            history.record(before.revision(), state.revision(), comparison.touched);
        }
        drop(current);
        let revision = Some(state.revision());
        self.told.send_if_modified(|told| {
            let changed = *told != revision;
            *told = revision;
            changed
        });
        state
    }

    /// What a reader of a state throws away that holds the revision it knows, or has parts
    /// that differ. The cheapest that is sure.
    pub fn since(&self, state: &State, known: Option<Revision>, differing: Option<Vec<u8>>) -> Basis {
        let Some(known) = known else {
            return Basis::Whole;
        };
        if known == state.revision() {
            return Basis::Names(BTreeSet::new());
        }
        let history = self.history.lock().unwrap_or_else(PoisonError::into_inner);
        let names = history.between(known, state.revision());
        drop(history);
        match (names, differing) {
            (Some(names), _) if names.len() <= state.records().len() => Basis::Names(names),
            (_, Some(parts)) if parts.len() < PARTS => Basis::Parts(parts.into_iter().collect()),
            _ => Basis::Whole,
        }
    }
}
