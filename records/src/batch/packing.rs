//! Which groups go into one batch: whole groups, in their order.

use std::collections::VecDeque;
use std::fmt;

use super::{Limits, Weight};

/// The most that one batch may weigh, by the command line and by the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    size: usize,
    limits: Limits,
}

/// Why a group is too heavy for any batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Excess {
    /// What there is too much of.
    pub unit: &'static str,
    /// How much the group has.
    pub weight: usize,
    /// How much a batch may have.
    pub limit: usize,
    /// Whose limit that is.
    pub set_by: SetBy,
}

/// Who sets a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetBy {
    /// The flag `--batch-change-size`.
    Flag,
    /// The provider.
    Provider,
}

/// Groups that wait for their batch, by their places, in the order in which they are sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Queue(VecDeque<(usize, Weight)>);

/// What comes next of a queue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// The groups of the batch; none if all that were left are too heavy.
    pub places: Vec<usize>,
    /// Groups that are too heavy for any batch.
    pub excess: Vec<(usize, Excess)>,
}

impl Weight {
    /// The weight of both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            operations: self.operations.saturating_add(other.operations),
            octets: self.octets.saturating_add(other.octets),
            values: self.values.saturating_add(other.values),
        }
    }
}

impl Bounds {
    /// At most `size` operations, and what the provider takes.
    #[must_use]
    pub fn new(size: usize, limits: Limits) -> Self {
        Self { size, limits }
    }

    /// The same, and not more than these limits either.
    #[must_use]
    pub fn narrowed(self, limits: Limits) -> Self {
        let lesser = |one: Option<usize>, other: Option<usize>| match (one, other) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        Self {
            size: self.size,
            limits: Limits {
                operations: lesser(self.limits.operations, limits.operations),
                octets: lesser(self.limits.octets, limits.octets),
                values: lesser(self.limits.values, limits.values),
            },
        }
    }

    /// What is too much of a weight; none if a batch may weigh so much.
    #[must_use]
    pub fn excess(&self, weight: Weight) -> Option<Excess> {
        let (operations, set_by) = match self.limits.operations {
            Some(limit) if limit < self.size => (limit, SetBy::Provider),
            _ => (self.size, SetBy::Flag),
        };
        let bounds = [
            ("operations", weight.operations, Some(operations), set_by),
            ("octets", weight.octets, self.limits.octets, SetBy::Provider),
            ("values", weight.values, self.limits.values, SetBy::Provider),
        ];
        bounds.into_iter().find_map(|(unit, weight, limit, set_by)| {
            let limit = limit.filter(|limit| weight > *limit)?;
            Some(Excess {
                unit,
                weight,
                limit,
                set_by,
            })
        })
    }
}

impl Queue {
    /// Groups in this order.
    pub fn new(groups: impl IntoIterator<Item = (usize, Weight)>) -> Self {
        Self(groups.into_iter().collect())
    }

    /// Whether no group waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Puts groups back, before all others.
    pub fn put_back(&mut self, groups: Vec<(usize, Weight)>) {
        groups
            .into_iter()
            .rev()
            .for_each(|group| self.0.push_front(group));
    }

    /// Takes as many groups as one batch holds. No other way to cut this order makes fewer
    /// batches.
    pub fn next_batch(&mut self, bounds: &Bounds) -> Batch {
        let mut batch = Batch::default();
        let mut load = Weight::default();
        while let Some((place, weight)) = self.0.pop_front() {
            if let Some(excess) = bounds.excess(weight) {
                batch.excess.push((place, excess));
                continue;
            }
            load = load.plus(weight);
            if bounds.excess(load).is_some() {
                self.0.push_front((place, weight));
                break;
            }
            batch.places.push(place);
        }
        batch
    }
}

impl fmt::Display for Excess {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            unit, weight, limit, ..
        } = self;
        let whose = match self.set_by {
            SetBy::Flag => "--batch-change-size",
            SetBy::Provider => "the provider's limit",
        };
        write!(
            formatter,
            "the changes of the name are {weight} {unit}, and a batch may have at most {limit} ({whose})"
        )
    }
}
