//! Many record sets in little memory.

mod builder;
mod difference;
mod order;
mod packed;

use std::cmp::Ordering;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use crate::Endpoint;

pub(crate) use packed::Packed;

pub use builder::Builder;
pub use difference::{Difference, Step};

/// The most record sets of a block.
const BLOCK: usize = 64;

/// Record sets in an order, kept as text: zones have hundreds of thousands of them, and an
/// [`Endpoint`] takes several times its text. They are read as endpoints one at a time. A
/// copy shares the text.
#[derive(Clone, Default)]
pub struct RecordList {
    blocks: Box<[Arc<Block>]>,
    len: usize,
}

/// Record sets that are kept, shared and replaced together.
pub(crate) struct Block {
    text: Box<str>,
    /// Where each record set ends in the text.
    ends: Box<[u32]>,
}

/// Where a record set of a list is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place(u32);

/// Between two record sets of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    block: usize,
    index: usize,
}

impl Block {
    fn len(&self) -> usize {
        self.ends.len()
    }

    fn text(&self, index: usize) -> &str {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start as usize..self.ends[index] as usize]
    }
}

impl Place {
    fn new(block: usize, index: usize) -> Self {
        // A list of more would not fit into memory.
        Self(u32::try_from(block * BLOCK + index).unwrap_or(u32::MAX))
    }

    /// A number of its own, less than [`RecordList::places_end`].
    pub(crate) fn number(self) -> usize {
        self.0 as usize
    }
}

impl RecordList {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Each record set, in order.
    #[must_use]
    pub fn iter(&self) -> Iter<'_> {
        Iter {
            list: self,
            next: Position::default(),
        }
    }

    /// Each record set where it is kept, in order.
    pub(crate) fn places(&self) -> impl Iterator<Item = (Place, Packed<'_>)> {
        let places = |(at, block): (usize, &Arc<Block>)| {
            let len = block.len();
            (0..len).map(move |index| Place::new(at, index))
        };
        let places = self.blocks.iter().enumerate().flat_map(places);
        places.map(|place| (place, self.at(place)))
    }

    /// More than the number of any place.
    pub(crate) fn places_end(&self) -> usize {
        self.blocks.len() * BLOCK
    }

    /// The record set at a place.
    pub(crate) fn at(&self, place: Place) -> Packed<'_> {
        let place = place.number();
        Packed::read(self.blocks[place / BLOCK].text(place % BLOCK))
    }

    /// The record sets of a list in order that compare as equal to something: `order` tells
    /// how one compares to it.
    pub(crate) fn equal_range(&self, order: impl Fn(&Packed<'_>) -> Ordering) -> Range<Position> {
        let start = self.partition_point(|record| order(record) == Ordering::Less);
        let end = self.partition_point(|record| order(record) != Ordering::Greater);
        start..end
    }

    /// The record sets between two positions.
    pub(crate) fn range(&self, range: Range<Position>) -> impl Iterator<Item = Packed<'_>> {
        let mut next = range.start;
        std::iter::from_fn(move || (next < range.end).then(|| self.take(&mut next))?)
    }

    /// Brings the record sets into an order.
    fn sort_by(&mut self, compare: impl Fn(&Packed<'_>, &Packed<'_>) -> Ordering) {
        let in_order = |one: &(Place, Packed<'_>), other: &(Place, Packed<'_>)| {
            compare(&one.1, &other.1) != Ordering::Greater
        };
        if self.places().is_sorted_by(in_order) {
            return;
        }
        let mut places: Vec<Place> = self.places().map(|(place, _)| place).collect();
        places.sort_by(|one, other| compare(&self.at(*one), &self.at(*other)));
        let mut sorted = Builder::default();
        for place in places {
            sorted.push_packed(self.at(place));
        }
        *self = sorted.finish();
    }

    /// The position of the first record set of a list in order that is not `before`.
    fn partition_point(&self, before: impl Fn(&Packed<'_>) -> bool) -> Position {
        let first_is_before = |block: &Arc<Block>| before(&Packed::read(block.text(0)));
        let block = self.blocks.partition_point(first_is_before).saturating_sub(1);
        let Some(found) = self.blocks.get(block) else {
            return Position::default();
        };
        let (mut low, mut high) = (0, found.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            if before(&Packed::read(found.text(middle))) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        self.normalized(Position { block, index: low })
    }

    /// Behind the last record set.
    pub(crate) fn end(&self) -> Position {
        Position {
            block: self.blocks.len(),
            index: 0,
        }
    }

    /// The end of a block is the start of the next one.
    fn normalized(&self, position: Position) -> Position {
        let at_end = |block: &Arc<Block>| position.index >= block.len();
        match self.blocks.get(position.block) {
            Some(block) if at_end(block) => Position {
                block: position.block + 1,
                index: 0,
            },
            _ => position,
        }
    }

    /// The record set behind a position, which moves on.
    fn take(&self, next: &mut Position) -> Option<Packed<'_>> {
        let block = self.blocks.get(next.block)?;
        let packed = Packed::read(block.text(next.index));
        next.index += 1;
        *next = self.normalized(*next);
        Some(packed)
    }
}

/// Reads the record sets of a list.
pub struct Iter<'a> {
    list: &'a RecordList,
    next: Position,
}

impl Iterator for Iter<'_> {
    type Item = Endpoint;

    fn next(&mut self) -> Option<Endpoint> {
        self.list.take(&mut self.next).map(|packed| packed.endpoint())
    }

    /// Steps over whole blocks without looking at them.
    fn nth(&mut self, count: usize) -> Option<Endpoint> {
        let mut index = self.next.index + count;
        while let Some(block) = self.list.blocks.get(self.next.block)
            && index >= block.len()
        {
            index -= block.len();
            self.next.block += 1;
        }
        self.next.index = index;
        self.next()
    }
}

impl<'a> IntoIterator for &'a RecordList {
    type Item = Endpoint;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// Reads the record sets of a list of its own.
pub struct IntoIter {
    list: RecordList,
    next: Position,
}

impl Iterator for IntoIter {
    type Item = Endpoint;

    fn next(&mut self) -> Option<Endpoint> {
        self.list.take(&mut self.next).map(|packed| packed.endpoint())
    }
}

impl IntoIterator for RecordList {
    type Item = Endpoint;
    type IntoIter = IntoIter;

    fn into_iter(self) -> IntoIter {
        IntoIter {
            list: self,
            next: Position::default(),
        }
    }
}

impl<'a> FromIterator<&'a Endpoint> for RecordList {
    fn from_iter<I: IntoIterator<Item = &'a Endpoint>>(endpoints: I) -> Self {
        let mut builder = Builder::default();
        endpoints.into_iter().for_each(|endpoint| builder.push(endpoint));
        builder.finish()
    }
}

impl FromIterator<Endpoint> for RecordList {
    fn from_iter<I: IntoIterator<Item = Endpoint>>(endpoints: I) -> Self {
        let mut builder = Builder::default();
        endpoints.into_iter().for_each(|endpoint| builder.push(&endpoint));
        builder.finish()
    }
}

impl PartialEq for RecordList {
    fn eq(&self, other: &Self) -> bool {
        let packed = |list: &Self, other: &Self| {
            let other = other.places().map(|(_, packed)| packed);
            list.places().map(|(_, packed)| packed).eq(other)
        };
        self.len == other.len && packed(self, other)
    }
}

impl Eq for RecordList {}

impl fmt::Debug for RecordList {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self).finish()
    }
}
