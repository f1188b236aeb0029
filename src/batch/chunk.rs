//! A group of records that the source reads together.

use std::ops::Range;
use std::sync::Arc;

#[cfg(feature = "arrow")]
use super::arrow::ArrowRecords;
use super::buffer::Buffer;
use super::lines::Lines;
use super::pipeline::schedule::Work;

/// Records in the order of the input.
#[derive(Debug)]
pub(super) struct Chunk {
    /// The number of the first record, counted from 1.
    pub(super) first: u64,
    pub(super) records: Records,
}

impl Chunk {
    /// The maximum number of records in a chunk.
    pub(super) const MAX_RECORDS: usize = 4096;
    /// The maximum size of a chunk that has more than one record, in bytes.
    pub(super) const MAX_BYTES: usize = 64 << 10;
}

/// The records of a chunk.
#[derive(Debug)]
pub(super) enum Records {
    /// Byte strings, such as lines without their ends.
    Bytes(ByteRecords),
    /// Rows of text fields.
    Rows(Rows),
    /// Rows of a record batch.
    #[cfg(feature = "arrow")]
    Arrow(ArrowRecords),
}

impl Records {
    /// Returns the number of records.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Bytes(records) => records.extents.len(),
            Self::Rows(rows) => rows.extents.len(),
            #[cfg(feature = "arrow")]
            Self::Arrow(rows) => rows.len(),
        }
    }

    /// Returns about how many bytes of memory they take.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Bytes(records) => records.bytes.len() + records.extents.bytes(),
            Self::Rows(Rows { bytes, ends, extents }) => {
                bytes.len() + size_of_val(ends.as_slice()) + size_of_val(extents.as_slice())
            }
            #[cfg(feature = "arrow")]
            Self::Arrow(rows) => rows.bytes(),
        }
    }
}

/// Byte strings in one buffer.
#[derive(Debug)]
pub(super) struct ByteRecords {
    pub(super) bytes: Buffer,
    pub(super) extents: Extents,
}

impl ByteRecords {
    /// Returns a record; `None` if it is not there.
    #[inline]
    pub(super) fn get(&self, index: usize) -> Option<&[u8]> {
        match &self.extents {
            Extents::Lines(lines) => lines.get(&self.bytes, index),
            Extents::Split(extents) => match &extents[index] {
                Extent::At(range) => Some(&self.bytes[range.clone()]),
                Extent::TooLong | Extent::Malformed(_) => None,
            },
        }
    }

    /// Returns why a record is malformed, if it is.
    pub(super) fn malformed(&self, index: usize) -> Option<&'static str> {
        match &self.extents {
            Extents::Split(extents) => match extents[index] {
                Extent::Malformed(reason) => Some(reason),
                Extent::At(_) | Extent::TooLong => None,
            },
            Extents::Lines(_) => None,
        }
    }
}

/// Where records are in the buffer of their chunk.
#[derive(Debug)]
pub(super) enum Extents {
    Split(Vec<Extent>),
    /// All bytes are lines, and each line is a record.
    Lines(Lines),
}

impl Extents {
    fn len(&self) -> usize {
        match self {
            Self::Split(extents) => extents.len(),
            Self::Lines(lines) => lines.len(),
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Split(extents) => size_of_val(extents.as_slice()),
            Self::Lines(lines) => lines.bytes(),
        }
    }
}

/// Where a record is in the buffer of its chunk, or why it is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    At(Range<usize>),
    /// The record is longer than the limit, and was skipped.
    TooLong,
    /// The record is malformed, for this reason.
    Malformed(&'static str),
}

/// Rows of text fields in one buffer.
#[derive(Debug, Default)]
pub(super) struct Rows {
    /// The fields, one after the other.
    pub(super) bytes: Vec<u8>,
    /// Where each field ends in `bytes`.
    pub(super) ends: Vec<usize>,
    /// The fields of each row, as indices of `ends`.
    pub(super) extents: Vec<Extent>,
}

impl Rows {
    /// Returns a field by its index in the chunk.
    pub(super) fn field(&self, index: usize) -> &[u8] {
        let start = index.checked_sub(1).map_or(0, |previous| self.ends[previous]);
        &self.bytes[start..self.ends[index]]
    }
}

/// Some records of a chunk, which workers share.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) chunk: Arc<Chunk>,
    /// The indices of the records.
    pub(super) indices: Range<usize>,
}

impl From<Chunk> for Part {
    fn from(chunk: Chunk) -> Self {
        let indices = 0..chunk.records.len();
        Self { chunk: Arc::new(chunk), indices }
    }
}

impl Work for Part {
    fn len(&self) -> usize {
        self.indices.len()
    }

    fn bytes(&self) -> usize {
        let records = &self.chunk.records;
        records.bytes() / records.len().max(1) * self.len()
    }

    fn split_to(&mut self, records: usize) -> Self {
        let Range { start, .. } = self.indices;
        self.indices.start += records;
        Self { chunk: Arc::clone(&self.chunk), indices: start..self.indices.start }
    }
}
