//! Splits a stream of bytes into records, in memory that one record bounds.

use std::io::{ErrorKind as IoErrorKind, Read};
use std::num::NonZeroUsize;
use std::ops::Range;

use crate::batch::buffer::Buffers;
use crate::batch::chunk::{ByteRecords, Chunk, Extent, Extents, Records};
use crate::batch::format::{Formats, Layout, Source};
use crate::batch::lines::Lines;
use crate::error::{Error, ErrorKind, Result};

/// Bytes that are read at a time.
pub(super) const BLOCK: usize = Chunk::MAX_BYTES;

/// Bytes that a record in the buffer can have beyond its content: its end and a byte order mark.
const SLACK: usize = 8;

/// Finds the ends of records.
pub(super) trait Frame: Send {
    /// Looks for the end of the current record in the bytes that follow those of earlier calls.
    fn scan(&mut self, bytes: &[u8]) -> Scan;

    /// Returns where the content of a complete record is in its bytes; `None` for no record, such as an empty line.
    fn content(&self, record: &[u8], is_first: bool) -> Option<Range<usize>>;

    /// Returns the complete records at the start of some bytes and their length. `None` if they must be scanned one by one, because
    /// some lines are not records. No record ends in the first `scanned` bytes. `max` is the maximum length of a record.
    fn lines(&self, _bytes: &[u8], _scanned: usize, _max: usize) -> Option<(usize, Lines)> {
        None
    }

    /// Returns why the last record is malformed if the stream ends without its end.
    fn unfinished(&self) -> Option<&'static str>;

    /// Whether a record that is an object has an id.
    fn has_id(&self, record: &[u8]) -> bool;
}

/// The result of [`Frame::scan`].
pub(super) enum Scan {
    /// The record ends after this number of bytes.
    End(usize),
    /// The record continues after these bytes.
    More,
    /// Neither this record nor any later one has an end, for this reason.
    Malformed(&'static str),
}

/// A stream that a [`Frame`] splits.
pub(super) struct Framed<'a, R, F> {
    reader: R,
    frame: F,
    formats: &'a Formats<'a>,
    buffers: Buffers,
    max_record: usize,
    /// Bytes that were read: `start..filled` are not yet part of a chunk, and of these, `..seen` were scanned.
    buffer: Vec<u8>,
    start: usize,
    seen: usize,
    filled: usize,
    /// Whether the current record is too long, and its bytes are dropped.
    is_discarding: bool,
    is_at_end: bool,
    /// Whether the current record begins the stream.
    is_first: bool,
    /// Why the rest of the stream cannot be split.
    broken: Option<Error>,
    next: u64,
    /// The number of records in the last chunk.
    typical: usize,
}

impl<'a, R: Read, F: Frame> Framed<'a, R, F> {
    pub(super) fn new(reader: R, frame: F, formats: &'a Formats<'a>, buffers: Buffers) -> Self {
        Self {
            reader,
            frame,
            formats,
            buffers,
            max_record: formats.options.max_record,
            buffer: Vec::new(),
            start: 0,
            seen: 0,
            filled: 0,
            is_discarding: false,
            is_at_end: false,
            is_first: true,
            broken: None,
            next: 1,
            typical: 0,
        }
    }

    /// Takes lines out of the buffer. Workers split them, unless only one works: then this thread has time for it.
    fn take_lines(&mut self) -> Option<Chunk> {
        if self.is_first || self.is_discarding {
            return None;
        }
        let (bytes, scanned) = (&self.buffer[self.start..self.filled], self.seen - self.start);
        let (length, lines) = self.frame.lines(bytes, scanned, self.max_record)?;
        if self.formats.options.jobs == NonZeroUsize::MIN {
            lines.split(&bytes[..length]);
        }
        self.start += length;
        self.seen = self.filled;
        Some(self.chunk(self.start - length, Extents::Lines(lines)))
    }

    /// Takes the complete records out of the buffer.
    fn take_records(&mut self) -> Option<Chunk> {
        let base = self.start;
        let mut extents = Vec::with_capacity(self.typical);
        while extents.len() < Chunk::MAX_RECORDS && self.broken.is_none() {
            let end = match self.frame.scan(&self.buffer[self.seen..self.filled]) {
                Scan::End(length) => self.seen + length,
                Scan::More => {
                    self.seen = self.filled;
                    break;
                }
                Scan::Malformed(reason) => {
                    let number = self.next + extents.len() as u64;
                    self.break_off(number, reason, &mut extents);
                    break;
                }
            };
            extents.extend(self.extent(end, base));
            (self.start, self.seen) = (end, end);
        }
        if self.is_at_end && self.broken.is_none() && self.seen == self.filled && extents.len() < Chunk::MAX_RECORDS {
            extents.extend(self.last_extent(base));
            (self.start, self.seen) = (self.filled, self.filled);
        }
        if extents.is_empty() {
            return None;
        }
        self.typical = extents.len();
        Some(self.chunk(base, Extents::Split(extents)))
    }

    /// Returns the records that were taken out of the buffer.
    fn chunk(&mut self, base: usize, extents: Extents) -> Chunk {
        let bytes = self.buffers.copy(&self.buffer[base..self.start]);
        let chunk = Chunk { first: self.next, records: Records::Bytes(ByteRecords { bytes, extents }) };
        self.next += chunk.records.len() as u64;
        chunk
    }

    /// Returns the extent of the record that ends here, relative to the start of the chunk.
    #[inline]
    fn extent(&mut self, end: usize, base: usize) -> Option<Extent> {
        let is_first = std::mem::take(&mut self.is_first);
        if std::mem::take(&mut self.is_discarding) {
            return Some(Extent::TooLong);
        }
        let content = self.frame.content(&self.buffer[self.start..end], is_first)?;
        if content.len() > self.max_record {
            return Some(Extent::TooLong);
        }
        let offset = self.start - base;
        Some(Extent::At(offset + content.start..offset + content.end))
    }

    /// Returns the extent of a record that the end of the stream ends.
    fn last_extent(&mut self, base: usize) -> Option<Extent> {
        if self.start == self.filled && !self.is_discarding {
            return None;
        }
        match self.frame.unfinished() {
            Some(reason) if !self.is_discarding => Some(Extent::Malformed(reason)),
            _ => self.extent(self.filled, base),
        }
    }

    fn break_off(&mut self, number: u64, reason: &'static str, extents: &mut Vec<Extent>) {
        let message = format!("cannot read the input after record {number}: {reason}");
        self.broken = Some(Error::new(ErrorKind::Io, message));
        self.is_discarding = false;
        extents.push(Extent::Malformed(reason));
    }

    /// Reads once, after making room and dropping processed bytes.
    fn fill(&mut self) -> Result<()> {
        self.is_discarding |= self.filled - self.start > self.max_record.saturating_add(SLACK);
        if self.is_discarding {
            self.start = self.filled;
        }
        self.buffer.copy_within(self.start..self.filled, 0);
        self.filled -= self.start;
        (self.start, self.seen) = (0, self.filled);
        if self.buffer.len() < self.filled + BLOCK {
            self.buffer.resize((self.filled + BLOCK).max(self.filled * 2), 0);
        }
        let read = read(&mut self.reader, &mut self.buffer[self.filled..][..BLOCK])?;
        self.filled += read;
        self.is_at_end = read == 0;
        Ok(())
    }

    /// Sets the layout by the first record.
    fn set_layout(&self, chunk: Option<&Chunk>) {
        let has_ids = match chunk.map(|chunk| &chunk.records) {
            Some(Records::Bytes(records)) => records.get(0).is_some_and(|record| self.frame.has_id(record)),
            _ => false,
        };
        let _ = self.formats.layout.set(Layout { has_ids, ..Layout::default() });
    }
}

impl<R: Read + Send, F: Frame> Source for Framed<'_, R, F> {
    fn next_chunk(&mut self) -> Result<Option<Chunk>> {
        let chunk = loop {
            if let Some(chunk) = self.take_lines().or_else(|| self.take_records()) {
                break Some(chunk);
            }
            if let Some(broken) = self.broken.take() {
                self.is_at_end = true;
                return Err(broken);
            }
            if self.is_at_end {
                break None;
            }
            self.fill()?;
        };
        if self.formats.layout.get().is_none() {
            self.set_layout(chunk.as_ref());
        }
        Ok(chunk)
    }
}

/// Reads once, also after a signal.
pub(super) fn read(reader: &mut impl Read, buffer: &mut [u8]) -> Result<usize> {
    loop {
        match reader.read(buffer) {
            Err(error) if error.kind() == IoErrorKind::Interrupted => {}
            Err(error) => {
                return Err(Error::new(ErrorKind::Io, format!("cannot read records: {error}")).with_source(error));
            }
            Ok(length) => return Ok(length),
        }
    }
}
