//! Lists as they are put together.

use std::ops::Range;
use std::sync::Arc;

use super::{BLOCK, Block, Packed, Position, RecordList};
use crate::Endpoint;

/// A block of fewer record sets is put together with the next one.
const FEW: usize = BLOCK / 4;
/// A block of more text is not added to, in octets.
const TEXT: usize = 1 << 20;

/// A list that is being put together.
#[derive(Default)]
pub struct Builder {
    blocks: Vec<Arc<Block>>,
    len: usize,
    /// The text of what is in no block yet, and where each record set ends in it.
    text: String,
    ends: Vec<u32>,
}

impl Builder {
    /// Adds a record set.
    pub fn push(&mut self, endpoint: &Endpoint) {
        Packed::write(endpoint, &mut self.text);
        self.end_record();
    }

    /// Adds a record set of another list.
    pub(crate) fn push_packed(&mut self, packed: Packed<'_>) {
        self.text.push_str(packed.text());
        self.end_record();
    }

    /// Adds all of another list.
    pub(crate) fn append(&mut self, list: &RecordList) {
        list.places().for_each(|(_, packed)| self.push_packed(packed));
    }

    /// Adds what is between two positions of another list, and shares its blocks where all
    /// of them is.
    pub(crate) fn copy(&mut self, list: &RecordList, range: Range<Position>) {
        let mut next = range.start;
        while next < range.end {
            let Some(block) = list.blocks.get(next.block) else {
                return;
            };
            if next.index == 0 && next.block < range.end.block {
                self.share(block);
                next.block += 1;
            } else if let Some(packed) = list.take(&mut next) {
                self.push_packed(packed);
            }
        }
    }

    /// The list.
    #[must_use]
    pub fn finish(mut self) -> RecordList {
        self.end_blocks();
        RecordList {
            blocks: self.blocks.into(),
            len: self.len,
        }
    }

    fn share(&mut self, block: &Arc<Block>) {
        if (1..FEW).contains(&self.ends.len()) {
            for index in 0..block.len() {
                self.text.push_str(block.text(index));
                self.end_record();
            }
            self.end_blocks();
            return;
        }
        self.end_blocks();
        self.len += block.len();
        self.blocks.push(Arc::clone(block));
    }

    fn end_record(&mut self) {
        self.ends.push(u32::try_from(self.text.len()).unwrap_or(u32::MAX));
        if self.text.len() > TEXT {
            self.end_blocks();
        } else if self.ends.len() == 2 * BLOCK {
            self.end_block(BLOCK);
        }
    }

    /// Puts what is in no block yet into one, or into two of the same size.
    fn end_blocks(&mut self) {
        if self.ends.len() > BLOCK {
            self.end_block(self.ends.len() / 2);
        }
        self.end_block(self.ends.len());
    }

    /// Puts the first record sets that are in no block yet into one.
    fn end_block(&mut self, count: usize) {
        let ends: Box<[u32]> = self.ends.drain(..count).collect();
        let Some(&end) = ends.last() else { return };
        let text = self.text.drain(..end as usize).collect::<String>();
        self.ends.iter_mut().for_each(|later| *later -= end);
        self.len += ends.len();
        self.blocks.push(Arc::new(Block {
            text: text.into(),
            ends,
        }));
    }
}
