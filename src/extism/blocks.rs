//! The memory that a plug-in shares with its host: blocks of one array of bytes, addressed by offset.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::runtime::memory_budget::MemoryBudget;

/// The first offset; 0 means no block.
const START: usize = 64;

/// Offsets are multiples of this.
const ALIGNMENT: usize = 16;

/// Memory is taken from the budget in multiples of this.
const PAGE: u64 = 65536;

/// The maximum size of the records of one block outside the array.
const RECORD: u64 = 96;

/// The maximum size of the memory, as of a 32-bit linear memory.
pub(super) const MAX_BYTES: u64 = 4 << 30;

/// A reset keeps at most this much memory for the next call.
const MAX_KEPT: u64 = 1 << 20;

/// Bytes that are set to zero at a time, between two looks at the time limit.
const ZEROED: usize = 1 << 20;

/// A free block is divided if this much remains.
const MIN_REMAINDER: usize = 128;

/// The blocks of a plug-in. As in Extism, a free block keeps its bytes and is reused only when the memory taken so far is used
/// up, because some plug-ins free a block twice, or read it after they freed it.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    /// Everything up to the end of the last block.
    bytes: Vec<u8>,
    /// All blocks by offset. They follow one another without gaps.
    records: BTreeMap<usize, Block>,
    /// The sizes and offsets of the free blocks.
    free: BTreeSet<(usize, usize)>,
    /// The bytes taken from the budget.
    taken: u64,
}

#[derive(Clone, Copy, Debug)]
struct Block {
    size: usize,
    /// The length that was asked for; `None` if the block is free.
    length: Option<usize>,
}

impl Blocks {
    /// Allocates a block, and returns its offset; 0 for an empty block. `None` if there is not enough memory.
    pub(super) fn allocate(&mut self, length: u64, budget: &MemoryBudget) -> Option<u64> {
        self.allocate_while(length, budget, &|| true)
    }

    /// As [`Blocks::allocate`]. A large block takes time: returns `None` as soon as `proceeds` is false.
    pub(super) fn allocate_while(
        &mut self,
        length: u64,
        budget: &MemoryBudget,
        proceeds: &dyn Fn() -> bool,
    ) -> Option<u64> {
        if length == 0 {
            return Some(0);
        }
        let length = usize::try_from(length).ok()?;
        let size = length.checked_next_multiple_of(ALIGNMENT)?;
        let offset = if self.needs(size).is_some_and(|needed| needed <= self.taken) {
            self.append(size, proceeds)?
        } else if let Some(offset) = self.reuse(size, budget) {
            offset
        } else {
            self.take(self.needs(size)?, budget)?;
            self.append(size, proceeds)?
        };
        self.records.get_mut(&offset)?.length = Some(length);
        Some(offset as u64)
    }

    /// Allocates a block with these bytes. See [`Blocks::allocate`].
    pub(super) fn insert(&mut self, bytes: &[u8], budget: &MemoryBudget) -> Option<u64> {
        let offset = self.allocate(bytes.len() as u64, budget)?;
        let start = usize::try_from(offset).ok()?;
        self.bytes.get_mut(start..start + bytes.len())?.copy_from_slice(bytes);
        Some(offset)
    }

    /// Frees the block at this offset, if there is one.
    pub(super) fn free(&mut self, offset: u64) {
        let Some((mut offset, mut block)) = self.find(offset) else { return };
        block.length = None;
        let after = self.records.get(&(offset + block.size)).copied();
        if let Some(after) = after.filter(|after| after.length.is_none()) {
            self.forget(offset + block.size, after);
            block.size += after.size;
        }
        let before = self.records.range(..offset).next_back().map(|(offset, block)| (*offset, *block));
        if let Some((start, before)) = before.filter(|(_, before)| before.length.is_none()) {
            self.forget(start, before);
            self.records.remove(&offset);
            (offset, block.size) = (start, before.size + block.size);
        }
        self.records.insert(offset, block);
        self.free.insert((block.size, offset));
    }

    /// Returns the length of the block at this offset.
    pub(super) fn length(&self, offset: u64) -> Option<u64> {
        let (_, block) = self.find(offset)?;
        block.length.map(|length| length as u64)
    }

    /// Returns the bytes of the block at this offset.
    pub(super) fn block(&self, offset: u64) -> Option<&[u8]> {
        self.range(offset, self.length(offset)?)
    }

    /// Returns the bytes of the block at this offset.
    pub(super) fn block_mut(&mut self, offset: u64) -> Option<&mut [u8]> {
        let range = checked(offset, self.length(offset)?)?;
        self.bytes.get_mut(range)
    }

    /// Returns bytes of any blocks.
    pub(super) fn range(&self, offset: u64, length: u64) -> Option<&[u8]> {
        self.bytes.get(checked(offset, length)?)
    }

    /// Returns the bytes at this offset.
    pub(super) fn load<const N: usize>(&self, offset: u64) -> Option<[u8; N]> {
        self.range(offset, N as u64)?.try_into().ok()
    }

    /// Sets the bytes at this offset, if they are within memory.
    pub(super) fn store(&mut self, offset: u64, bytes: &[u8]) {
        let target = checked(offset, bytes.len() as u64).and_then(|range| self.bytes.get_mut(range));
        if let Some(target) = target {
            target.copy_from_slice(bytes);
        }
    }

    /// Frees all blocks and forgets their bytes. Gives back the memory of a large call.
    pub(super) fn reset(&mut self, budget: &MemoryBudget) {
        self.records.clear();
        self.free.clear();
        self.bytes.clear();
        if self.taken > MAX_KEPT {
            budget.release(self.taken);
            (self.taken, self.bytes) = (0, Vec::new());
        }
    }

    /// Returns the memory taken from the budget, in bytes.
    pub(super) fn taken(&self) -> u64 {
        self.taken
    }

    fn find(&self, offset: u64) -> Option<(usize, Block)> {
        let offset = usize::try_from(offset).ok()?;
        let block = self.records.get(&offset).copied().filter(|block| block.length.is_some())?;
        Some((offset, block))
    }

    /// Removes a free block from the lists.
    fn forget(&mut self, offset: usize, block: Block) {
        self.records.remove(&offset);
        self.free.remove(&(block.size, offset));
    }

    /// Returns the memory that one more block of this size needs, all blocks together.
    fn needs(&self, size: usize) -> Option<u64> {
        let records = (self.records.len() as u64 + 1) * RECORD;
        let bytes = self.bytes.len().max(START).checked_add(size)?;
        records.checked_add(bytes as u64)
    }

    /// Takes memory from the budget, so that `needed` bytes are taken.
    fn take(&mut self, needed: u64, budget: &MemoryBudget) -> Option<()> {
        let needed = needed.checked_next_multiple_of(PAGE).filter(|needed| *needed <= MAX_BYTES)?;
        let more = needed.saturating_sub(self.taken);
        budget.take(more).then(|| self.taken += more)
    }

    /// Adds a block at the end. Its bytes are zero.
    fn append(&mut self, size: usize, proceeds: &dyn Fn() -> bool) -> Option<usize> {
        let before = self.bytes.len();
        let offset = before.max(START);
        let end = offset + size;
        // The system may refuse memory.
        self.bytes.try_reserve(end - before).ok()?;
        while end - self.bytes.len() > ZEROED {
            self.bytes.resize(self.bytes.len() + ZEROED, 0);
            if !proceeds() {
                self.bytes.truncate(before);
                return None;
            }
        }
        self.bytes.resize(end, 0);
        self.records.insert(offset, Block { size, length: None });
        Some(offset)
    }

    /// Takes the smallest free block that is large enough.
    fn reuse(&mut self, size: usize, budget: &MemoryBudget) -> Option<usize> {
        let &(found, offset) = self.free.range((size, 0)..).next()?;
        self.free.remove(&(found, offset));
        let remainder = found - size;
        let kept = if remainder >= MIN_REMAINDER && self.take(self.needs(0)?, budget).is_some() {
            self.records.insert(offset + size, Block { size: remainder, length: None });
            self.free.insert((remainder, offset + size));
            size
        } else {
            found
        };
        self.records.insert(offset, Block { size: kept, length: None });
        Some(offset)
    }
}

/// Returns a range of the array, unless it begins before the first block or its end overflows.
fn checked(offset: u64, length: u64) -> Option<Range<usize>> {
    let end = usize::try_from(offset.checked_add(length)?).ok()?;
    let start = usize::try_from(offset).ok().filter(|start| *start >= START)?;
    Some(start..end)
}
