//! Which names were touched by the latest changes of a zone.

use std::collections::{BTreeSet, VecDeque};

use crate::revision::Revision;

/// The most changes that are remembered.
const MOST_CHANGES: usize = 4096;
/// The most names that all of them together touch: some 600 kB.
const MOST_NAMES: usize = 10_000;

/// The latest changes, the oldest first.
#[derive(Debug, Default)]
pub(super) struct History {
    changes: VecDeque<Change>,
    names: usize,
}

#[derive(Debug)]
struct Change {
    before: Revision,
    after: Revision,
    touched: Box<[Box<str>]>,
}

impl History {
    /// Remembers a change. One that touches too much makes all before it forgotten.
    pub fn record(&mut self, before: Revision, after: Revision, touched: BTreeSet<Box<str>>) {
        if before == after && touched.is_empty() {
            return;
        }
        self.names += touched.len();
        self.changes.push_back(Change {
            before,
            after,
            touched: touched.into_iter().collect(),
        });
        while self.names > MOST_NAMES || self.changes.len() > MOST_CHANGES {
            let Some(forgotten) = self.changes.pop_front() else {
                return;
            };
            self.names -= forgotten.touched.len();
        }
    }

    /// The names that were touched between two revisions; none where that is not known.
    pub fn between(&self, known: Revision, now: Revision) -> Option<BTreeSet<Box<str>>> {
        let mut later = self.changes.iter().rev().skip_while(|change| change.after != now);
        let mut names = BTreeSet::new();
        loop {
            let change = later.next()?;
            names.extend(change.touched.iter().cloned());
            if change.before == known {
                return Some(names);
            }
        }
    }
}
