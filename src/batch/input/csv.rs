//! Records in CSV.

use std::io::Read;

use csv_core::{ReadRecordResult, Reader};

use super::columns::{check_header, layout_by_names, layout_by_position};
use super::delimited::BYTE_ORDER_MARK;
use super::framed::{BLOCK, read};
use super::lines::{too_long, utf8};
use crate::batch::chunk::{Chunk, Extent, Records, Rows};
use crate::batch::format::{Formats, Source};
use crate::error::{Error, ErrorKind, Result};

/// Bytes that the parser gets for the fields of a row at a time.
const STEP: usize = 4 << 10;

/// Fields that the parser gets for a row at a time.
const FIELDS: usize = 64;

/// Why the last row is malformed if a quote is missing.
const CUT: &str = "the input ends within a quoted field";

/// A stream in CSV. The length of a row is that of its fields, with a byte between two.
pub(super) struct CsvSource<'a, R> {
    reader: R,
    formats: &'a Formats<'a>,
    parser: Reader,
    /// Bytes that were read; `start..filled` are not yet parsed.
    buffer: Vec<u8>,
    start: usize,
    filled: usize,
    is_at_end: bool,
    /// Whether the input ended within a quoted field.
    ends_in_quotes: bool,
    row: Row,
    next: u64,
}

/// The row that is being parsed.
#[derive(Default)]
struct Row {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// The parts of `bytes` and `ends` that the parser has filled.
    length: usize,
    fields: usize,
    is_too_long: bool,
}

/// Why [`Row::parse`] returned.
enum Step {
    Row,
    NeedsInput,
    End,
}

impl Row {
    /// Parses up to the end of a row. Returns the number of bytes parsed, too.
    fn parse(&mut self, parser: &mut Reader, input: &[u8], max: usize) -> (Step, usize) {
        let mut used = 0;
        loop {
            if self.bytes.len() < self.length + STEP {
                self.bytes.resize((self.length + STEP).max(self.length * 2), 0);
            }
            if self.ends.len() < self.fields + FIELDS {
                self.ends.resize((self.fields + FIELDS).max(self.fields * 2), 0);
            }
            let (bytes, ends) = (&mut self.bytes[self.length..], &mut self.ends[self.fields..]);
            let (result, read, written, ended) = parser.read_record(&input[used..], bytes, ends);
            used += read;
            self.length += written;
            self.fields += ended;
            if self.length + self.fields.saturating_sub(1) > max {
                self.is_too_long = true;
            }
            if self.is_too_long {
                (self.length, self.fields) = (0, 0);
            }
            match result {
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {}
                ReadRecordResult::InputEmpty => return (Step::NeedsInput, used),
                ReadRecordResult::Record => return (Step::Row, used),
                ReadRecordResult::End => return (Step::End, used),
            }
        }
    }

    /// Moves the fields to other rows. `is_cut` says whether the input ended within a quoted field.
    fn move_to(&mut self, rows: &mut Rows, is_cut: bool) {
        if std::mem::take(&mut self.is_too_long) {
            rows.extents.push(Extent::TooLong);
        } else if is_cut {
            rows.extents.push(Extent::Malformed(CUT));
        } else {
            let (offset, first) = (rows.bytes.len(), rows.ends.len());
            rows.bytes.extend_from_slice(&self.bytes[..self.length]);
            rows.ends.extend(self.ends[..self.fields].iter().map(|end| offset + end));
            rows.extents.push(Extent::At(first..rows.ends.len()));
        }
        (self.length, self.fields) = (0, 0);
    }
}

impl<'a, R: Read> CsvSource<'a, R> {
    pub(super) fn new(reader: R, formats: &'a Formats<'a>) -> Self {
        Self {
            reader,
            formats,
            parser: Reader::new(),
            buffer: vec![0; BLOCK],
            start: 0,
            filled: 0,
            is_at_end: false,
            ends_in_quotes: false,
            row: Row::default(),
            next: 1,
        }
    }

    /// Parses at most `max` rows. Reads input only until there is one row.
    fn rows(&mut self, max: usize) -> Result<Rows> {
        let mut rows = Rows::default();
        while rows.extents.len() < max {
            if self.start == self.filled && !self.is_at_end {
                if !rows.extents.is_empty() {
                    break;
                }
                self.fill()?;
                if self.is_at_end {
                    // Ends the last row, unless it is part of a quoted field.
                    self.buffer[0] = b'\n';
                    self.filled = 1;
                }
            }
            let (input, parsed) = (&self.buffer[self.start..self.filled], self.row.length);
            let (step, used) = self.row.parse(&mut self.parser, input, self.formats.options.max_record);
            self.start += used;
            if self.is_at_end && used > 0 {
                self.ends_in_quotes = self.row.length > parsed;
            }
            match step {
                Step::Row => self.row.move_to(&mut rows, self.ends_in_quotes),
                Step::NeedsInput => {}
                Step::End => break,
            }
        }
        Ok(rows)
    }

    /// Reads once; the first time, more than a byte order mark, which the parser drops.
    fn fill(&mut self) -> Result<()> {
        let is_first = self.filled == 0;
        (self.start, self.filled) = (0, 0);
        loop {
            let length = read(&mut self.reader, &mut self.buffer[self.filled..])?;
            self.filled += length;
            self.is_at_end = length == 0;
            let may_be_mark = BYTE_ORDER_MARK.starts_with(&self.buffer[..self.filled]);
            if !(is_first && may_be_mark) || self.is_at_end {
                return Ok(());
            }
        }
    }

    fn set_layout(&mut self) -> Result<()> {
        let layout = if self.formats.options.header {
            let header = self.rows(1)?;
            match header.extents.first() {
                Some(Extent::At(fields)) => {
                    let names = fields.clone().map(|field| utf8(header.field(field))).collect::<Result<Vec<_>>>();
                    let names = names.map_err(|error| in_header(&error))?;
                    let layout = layout_by_names(&names, self.formats)?;
                    check_header(&names, &layout, self.formats)?;
                    layout
                }
                Some(Extent::TooLong) => return Err(in_header(&too_long(self.formats))),
                Some(Extent::Malformed(reason)) => {
                    return Err(in_header(&Error::new(ErrorKind::InvalidArgument, *reason)));
                }
                None => layout_by_position(self.formats),
            }
        } else {
            layout_by_position(self.formats)
        };
        let _ = self.formats.layout.set(layout);
        Ok(())
    }
}

fn in_header(error: &Error) -> Error {
    Error::new(ErrorKind::InvalidArgument, format!("cannot read the header: {error}"))
}

impl<R: Read + Send> Source for CsvSource<'_, R> {
    fn next_chunk(&mut self) -> Result<Option<Chunk>> {
        if self.formats.layout.get().is_none() {
            self.set_layout()?;
        }
        let rows = self.rows(Chunk::MAX_RECORDS)?;
        if rows.extents.is_empty() {
            return Ok(None);
        }
        let first = self.next;
        self.next += rows.extents.len() as u64;
        Ok(Some(Chunk { first, records: Records::Rows(rows) }))
    }
}
