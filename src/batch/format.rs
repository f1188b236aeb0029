//! The parts of a format of records or results.

use std::ops::Range;
use std::sync::OnceLock;

use super::chunk::Chunk;
use super::id::{Id, IdType};
use super::options::{BatchOptions, BatchOutput};
use crate::error::{Error, ErrorKind, Result};
use crate::runtime::call::CallResult;
use crate::runtime::callable::{CallArgs, Callable};

/// The formats of a batch. The reader, the workers and the writer share it.
#[derive(Debug)]
pub(super) struct Formats<'a> {
    pub(super) callable: &'a Callable,
    pub(super) options: &'a BatchOptions,
    /// Set by the source before its first chunk, and before it ends.
    pub(super) layout: OnceLock<Layout>,
}

/// Facts about all records, from the beginning of the input.
#[derive(Debug, Default)]
pub(super) struct Layout {
    /// Whether records have ids. For JSON and MessagePack, whether the first has.
    pub(super) has_ids: bool,
    /// The type of the ids.
    #[cfg_attr(not(feature = "arrow"), expect(dead_code, reason = "only Arrow has columns of integers"))]
    pub(super) id_type: IdType,
    /// For rows: the column of the id.
    pub(super) id: Option<usize>,
    /// For rows: the column of each parameter. `None` takes all columns.
    pub(super) params: Option<Vec<usize>>,
    /// For rows: the number of columns, if it is fixed.
    pub(super) width: Option<usize>,
}

impl<'a> Formats<'a> {
    /// Joins a function and options.
    ///
    /// # Errors
    /// Those of [`BatchOptions::check`].
    pub(super) fn new(callable: &'a Callable, options: &'a BatchOptions) -> Result<Self> {
        options.check(callable)?;
        Ok(Self { callable, options, layout: OnceLock::new() })
    }

    /// Returns the layout; an empty one before the source has set it.
    pub(super) fn layout(&self) -> &Layout {
        static EMPTY: Layout = Layout { has_ids: false, id_type: IdType::Text, id: None, params: None, width: None };
        self.layout.get().unwrap_or(&EMPTY)
    }

    /// Checks that results and errors can have this id.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] if it is a MessagePack value that JSON does not have.
    pub(super) fn check_id(&self, id: Option<Id<'_>>) -> Result<()> {
        if self.options.output == BatchOutput::Msgpack || id.is_none_or(Id::is_json) {
            return Ok(());
        }
        Err(Error::new(ErrorKind::InvalidArgument, "the id is a MessagePack value that JSON does not have"))
    }
}

/// Reads records in chunks.
pub(super) trait Source: Send {
    /// Returns complete records, at least one, without waiting for more input than the first needs; `None` at the end.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] if reading fails, or the rest of the input cannot be split into records;
    /// [`ErrorKind::InvalidArgument`] if its columns do not fit the function.
    fn next_chunk(&mut self) -> Result<Option<Chunk>>;
}

/// Decodes records. Each worker has one.
pub(super) trait Decode {
    /// Decodes a record. Sets its id, also if the arguments are wrong.
    fn decode(&mut self, record: &mut Record<'_>, args: &mut CallArgs) -> Result<()>;

    /// Returns a column for each parameter with the arguments of records, if they are stored as numbers of its width in little-endian
    /// order.
    fn columns<'c>(&self, _chunk: &'c Chunk, _indices: Range<usize>) -> Option<Vec<&'c [u8]>> {
        None
    }
}

/// Encodes results and errors. Each worker has one.
pub(super) trait Encode {
    /// Appends the result of a record.
    ///
    /// # Errors
    /// If the result has no encoding. The caller must remove the appended bytes.
    fn result(&mut self, record: &Record<'_>, result: &CallResult, output: &mut Vec<u8>) -> Result<()>;

    /// Appends an error instead of a result.
    fn error(&mut self, record: &Record<'_>, error: &Error, output: &mut Vec<u8>);

    /// Appends the record itself instead of its result, unless it was too long to be stored.
    fn pass(&mut self, record: &Record<'_>, output: &mut Vec<u8>);

    /// Returns whether [`Encode::columns`] takes results.
    fn takes_columns(&self) -> bool {
        false
    }

    /// Appends the results of records whose arguments [`Decode::columns`] has returned. There is a column for each result of the
    /// function, with numbers of its width in little-endian order.
    fn columns(&mut self, _chunk: &Chunk, _indices: Range<usize>, _results: &[Vec<u8>], _output: &mut Vec<u8>) {
        unreachable!("results are encoded one by one")
    }

    /// Returns the number of results and errors that were appended and are not in the output yet.
    #[inline]
    fn pending(&self) -> usize {
        0
    }

    /// Writes the pending results and errors if they are large.
    #[inline]
    fn write_large(&mut self, _output: &mut Vec<u8>) {}

    /// Ends a piece of output, which is written as a whole.
    fn finish(&mut self, _output: &mut Vec<u8>) {}

    /// Writes the first `rows` pending results and errors, and drops the others. The encoder may have panicked, and is not used again.
    fn rescue(&mut self, _rows: usize, _output: &mut Vec<u8>) {}
}

/// A record that gets a result or an error.
#[derive(Debug)]
pub(super) struct Record<'c> {
    pub(super) chunk: &'c Chunk,
    /// The index in the chunk.
    pub(super) index: usize,
    pub(super) id: Option<Id<'c>>,
}

impl<'c> Record<'c> {
    /// The record at an index of a chunk. Its id is not known yet.
    pub(super) fn new(chunk: &'c Chunk, index: usize) -> Self {
        Self { chunk, index, id: None }
    }

    /// Returns the number of the record in the input, counted from 1.
    pub(super) fn number(&self) -> u64 {
        self.chunk.first + self.index as u64
    }
}
