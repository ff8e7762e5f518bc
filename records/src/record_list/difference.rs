//! What makes a list differ from an earlier one.

use std::cmp::Ordering;
use std::sync::Arc;

use super::order::compare;
use super::{Packed, Position, RecordList};
use crate::Endpoint;

/// What stands next in two lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// So many record sets are in both, the same to the letter.
    Kept(usize),
    /// A record set is in the later list only.
    Added(Endpoint),
    /// A record set is in the earlier list only.
    Removed(Endpoint),
    /// A record set has become another one of the same key.
    Replaced {
        /// What it was.
        old: Endpoint,
        /// What it is.
        new: Endpoint,
    },
}

/// Walks through two lists.
pub struct Difference<'a> {
    old: Side<'a>,
    new: Side<'a>,
}

struct Side<'a> {
    list: &'a RecordList,
    next: Position,
}

impl RecordList {
    /// What makes this list differ from an earlier one, both in the order of a zone. Text
    /// that they share is not looked at.
    #[must_use]
    pub fn difference<'a>(&'a self, earlier: &'a Self) -> Difference<'a> {
        let side = |list| Side {
            list,
            next: Position::default(),
        };
        Difference {
            old: side(earlier),
            new: side(self),
        }
    }
}

impl<'a> Side<'a> {
    fn peek(&self) -> Option<Packed<'a>> {
        let mut next = self.next;
        self.list.take(&mut next)
    }

    fn step(&mut self) -> Option<Endpoint> {
        self.list.take(&mut self.next).map(|packed| packed.endpoint())
    }

    fn skip_block(&mut self) {
        self.next = Position {
            block: self.next.block + 1,
            index: 0,
        };
    }
}

impl Difference<'_> {
    /// How many record sets are next that both lists have, the same to the letter; steps
    /// over them.
    fn kept(&mut self) -> usize {
        let mut count = 0;
        loop {
            if let Some(shared) = self.shared() {
                count += shared;
                self.old.skip_block();
                self.new.skip_block();
                continue;
            }
            match (self.old.peek(), self.new.peek()) {
                (Some(old), Some(new)) if old == new => {
                    count += 1;
                    self.old.list.take(&mut self.old.next);
                    self.new.list.take(&mut self.new.next);
                }
                _ => return count,
            }
        }
    }

    /// How many record sets are in the block that both sides stand before; none if it is not
    /// the same one.
    fn shared(&self) -> Option<usize> {
        let at_start = self.old.next.index == 0 && self.new.next.index == 0;
        let old = self.old.list.blocks.get(self.old.next.block)?;
        let new = self.new.list.blocks.get(self.new.next.block)?;
        (at_start && Arc::ptr_eq(old, new)).then(|| old.len())
    }
}

impl Iterator for Difference<'_> {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        let kept = self.kept();
        if kept > 0 {
            return Some(Step::Kept(kept));
        }
        let side = match (self.old.peek(), self.new.peek()) {
            (None, None) => return None,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(old), Some(new)) => compare(&old, &new),
        };
        match side {
            Ordering::Less => self.old.step().map(Step::Removed),
            Ordering::Greater => self.new.step().map(Step::Added),
            Ordering::Equal => {
                let (old, new) = (self.old.step()?, self.new.step()?);
                Some(Step::Replaced { old, new })
            }
        }
    }
}
