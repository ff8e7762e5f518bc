//! What some changes have cost.

use std::collections::BTreeMap;
use std::time::Duration;

use tests::cloudflare::Kind;

use crate::figures::milliseconds;
use crate::sheet::{Figure, figure, number};

/// Calls by kind, and time.
#[derive(Clone, Debug, Default)]
pub struct Spent {
    /// The calls.
    pub calls: BTreeMap<Kind, usize>,
    /// From the first of them, or before it, until everything was in place.
    pub took: Duration,
}

/// What two programs have spent for the same.
#[derive(Clone, Debug, Default)]
pub struct Both {
    /// Ours.
    pub ours: Spent,
    /// That of external-dns.
    pub theirs: Spent,
}

impl Spent {
    /// Adds the calls of another.
    pub fn add(&mut self, other: &Self) {
        for (kind, count) in &other.calls {
            *self.calls.entry(*kind).or_default() += count;
        }
    }

    /// The calls of some kinds.
    pub fn of(&self, kinds: &[Kind]) -> usize {
        kinds.iter().filter_map(|kind| self.calls.get(kind)).sum()
    }

    /// All calls.
    pub fn all(&self) -> usize {
        self.calls.values().sum()
    }
}

impl Both {
    /// Something that was counted of both.
    pub fn figure(&self, label: impl Into<String>, count: impl Fn(&Spent) -> usize) -> Figure {
        figure(label, 0, number(count(&self.ours))).beside(number(count(&self.theirs)))
    }

    /// All calls, and what they were.
    pub fn figures(&self, label: impl Into<String>) -> Vec<Figure> {
        let mut figures = vec![self.figure(label, Spent::all)];
        let kinds = [
            ("  lists of zones", Kind::Zones),
            ("  lists of records", Kind::List),
            ("  batches", Kind::Batch),
            ("  writes of one record", Kind::Single),
        ];
        let seen = kinds
            .into_iter()
            .filter(|(_, kind)| self.ours.of(&[*kind]) + self.theirs.of(&[*kind]) > 0);
        figures.extend(seen.map(|(label, kind)| self.figure(label, |spent| spent.of(&[kind]))));
        figures.push(figure("  ms", 0, milliseconds(self.ours.took)).beside(milliseconds(self.theirs.took)));
        figures
    }
}
