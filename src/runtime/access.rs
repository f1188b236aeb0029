//! Bounds-checked access to guest memory.

use std::ops::Range;

use crate::error::{Error, ErrorKind, Result};

/// Returns the range of `length` bytes at `offset` in a memory of `size` bytes.
///
/// # Errors
/// [`ErrorKind::MemoryAccess`] if the range is out of bounds.
pub(crate) fn range(offset: u64, length: usize, size: usize) -> Result<Range<usize>> {
    let start = usize::try_from(offset).ok();
    let range = start.and_then(|start| Some(start..start.checked_add(length)?));
    range.filter(|range| range.end <= size).ok_or_else(|| out_of_bounds(offset, length as u64, size as u64))
}

/// Returns whether `length` bytes at `offset` are within a memory of `size` bytes.
pub(crate) fn is_within(offset: u64, length: u64, size: u64) -> bool {
    offset.checked_add(length).is_some_and(|end| end <= size)
}

/// The error for `length` bytes at `offset` in a memory of `size` bytes.
pub(crate) fn out_of_bounds(offset: u64, length: u64, size: u64) -> Error {
    let message = format!("{length} bytes at offset {offset} are out of bounds: the memory has {size} bytes");
    Error::new(ErrorKind::MemoryAccess, message)
}
