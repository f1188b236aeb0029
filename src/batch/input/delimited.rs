//! Records that end with one byte, such as lines.

use std::io::{self, Read};

use crate::batch::chunk::{ByteRecords, Chunk, Records};
use crate::error::{Error, ErrorKind, Result};

/// Bytes that are read at a time.
const BLOCK: usize = 64 << 10;

/// Splits a stream at a byte.
#[derive(Debug)]
pub(in crate::batch) struct Delimited<R> {
    reader: R,
    delimiter: u8,
    max_record: usize,
    /// Bytes that are read but not yet part of a chunk.
    pending: Vec<u8>,
    is_at_end: bool,
    next: u64,
}

impl<R: Read> Delimited<R> {
    pub(in crate::batch) fn new(reader: R, delimiter: u8, max_record: usize) -> Self {
        Self { reader, delimiter, max_record, pending: Vec::new(), is_at_end: false, next: 1 }
    }

    /// Returns complete records, at least one, without waiting for more input than the first needs.
    ///
    /// # Errors
    /// Those of reading.
    pub(in crate::batch) fn next_chunk(&mut self) -> Result<Option<Chunk>> {
        loop {
            let mut ranges = Vec::new();
            let mut start = 0;
            while let Some(length) = self.pending[start..].iter().position(|byte| *byte == self.delimiter) {
                ranges.push((length <= self.max_record).then_some((start, start + length)));
                start += length + 1;
                if ranges.len() == Chunk::MAX_RECORDS {
                    break;
                }
            }
            if ranges.is_empty() && self.is_at_end && !self.pending.is_empty() {
                ranges.push((self.pending.len() <= self.max_record).then_some((0, self.pending.len())));
                start = self.pending.len();
            }
            if !ranges.is_empty() {
                let rest = self.pending.split_off(start);
                let bytes = std::mem::replace(&mut self.pending, rest);
                let first = self.next;
                self.next += ranges.len() as u64;
                return Ok(Some(Chunk { first, records: Records::Bytes(ByteRecords { bytes, ranges }) }));
            }
            if self.is_at_end {
                return Ok(None);
            }
            let length = self.pending.len();
            self.pending.resize(length + BLOCK, 0);
            let read = self.reader.read(&mut self.pending[length..]).map_err(unreadable)?;
            self.pending.truncate(length + read);
            self.is_at_end = read == 0;
        }
    }
}

fn unreadable(error: io::Error) -> Error {
    Error::new(ErrorKind::Io, format!("cannot read records: {error}")).with_source(error)
}
