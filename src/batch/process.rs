//! The work on a record: decode, call, encode.

use std::mem;

use super::buffer::Buffers;
use super::caller::{Caller, Decoded};
use super::chunk::Chunk;
use super::counters::Recorder;
use super::format::{Encode, Formats, Record};
use super::options::{BatchOutput, OnError};
use super::output;
use super::processed::{BatchFailure, Mark, Processed};
use super::rows::RowState;
use crate::error::{Error, ErrorKind, Result};
use crate::runtime::call::CallResult;

/// Processes the records of one worker.
pub(super) struct Processor<'a> {
    pub(super) formats: &'a Formats<'a>,
    pub(super) caller: Caller<'a>,
    recorder: Option<Recorder<'a>>,
    /// Whether there is a stream of errors.
    has_errors: bool,
    pub(super) encoder: Box<dyn Encode + 'a>,
    pub(super) rows: RowState,
    buffers: Buffers,
}

impl<'a> Processor<'a> {
    pub(super) fn new(
        formats: &'a Formats<'a>,
        caller: Caller<'a>,
        recorder: Option<Recorder<'a>>,
        has_errors: bool,
        buffers: Buffers,
    ) -> Self {
        let encoder = output::encoder(formats);
        let rows = RowState::new(recorder.is_some());
        Self { formats, caller, recorder, has_errors, encoder, rows, buffers }
    }

    /// Begins a piece of output.
    pub(super) fn begin(&self) -> Processed {
        Processed::new(self.buffers.take())
    }

    /// Calls the function with a record, and writes its result or its error.
    pub(super) fn record(&mut self, chunk: &Chunk, index: usize, out: &mut Processed) {
        let mut record = Record::new(chunk, index);
        let decoded = self.caller.decode(&mut record, self.formats);
        match decoded.and_then(|decoded| self.call(&record, decoded, &mut out.output)) {
            Ok(()) => out.tally.succeeded(1),
            Err(error) => self.write_failure(&record, error, out),
        }
    }

    /// Returns the current end of the output.
    #[inline]
    pub(super) fn mark(&self, out: &Processed) -> Mark {
        out.mark(self.encoder.pending())
    }

    /// Removes the output after a mark, and writes the error of a record that panicked. What decodes and encodes records may be in
    /// an inconsistent state then: the record is not decoded again for its id, and another encoder takes over.
    pub(super) fn fail(&mut self, chunk: &Chunk, index: usize, error: Error, begin: Mark, out: &mut Processed) {
        out.truncate(begin);
        let mut encoder = mem::replace(&mut self.encoder, output::encoder(self.formats));
        encoder.rescue(begin.pending, &mut out.output);
        self.write_failure(&Record::new(chunk, index), error, out);
    }

    /// Ends a piece of output.
    pub(super) fn finish(&mut self, out: &mut Processed) {
        self.encoder.finish(&mut out.output);
        out.output.shrink();
    }

    #[inline]
    fn call(&mut self, record: &Record<'_>, decoded: Decoded<'_>, output: &mut Vec<u8>) -> Result<()> {
        self.check_id(record)?;
        let called = self.caller.call(decoded);
        let encoded = called.and_then(|result| encode(self.encoder.as_mut(), record, result, output));
        if let Some(recorder) = &mut self.recorder {
            recorder.record(&self.caller.usage());
        }
        encoded
    }

    /// Checks that output in columns has one for the id.
    #[inline]
    pub(super) fn check_id(&self, record: &Record<'_>) -> Result<()> {
        let has_columns = matches!(self.formats.options.output, BatchOutput::Csv | BatchOutput::Arrow);
        if !has_columns || record.id.is_none() || self.formats.layout().has_ids {
            return Ok(());
        }
        let message = "the record has an id, and the first record had none, so there is no column for it";
        Err(Error::new(ErrorKind::InvalidArgument, message))
    }

    #[cold]
    pub(super) fn write_failure(&mut self, record: &Record<'_>, error: Error, out: &mut Processed) {
        out.tally.failed(error.kind());
        if self.has_errors {
            output::write_error(record, &error, b'\n', &mut out.errors);
        }
        match self.formats.options.on_error {
            OnError::Emit => self.encoder.error(record, &error, &mut out.output),
            OnError::Skip => {}
            OnError::Pass => self.encoder.pass(record, &mut out.output),
            OnError::Fail => out.failure = Some(BatchFailure { record: record.number(), error }),
        }
    }
}

/// Appends the result of a record. Appends nothing if it has no encoding.
///
/// # Errors
/// If the result has no encoding.
#[inline]
pub(super) fn encode(
    encoder: &mut dyn Encode,
    record: &Record<'_>,
    result: &CallResult,
    output: &mut Vec<u8>,
) -> Result<()> {
    let length = output.len();
    encoder.result(record, result, output).inspect_err(|_| output.truncate(length))
}
