//! What a worker does with a record: decode, call, encode.

use super::chunk::Chunk;
use super::counters::Recorder;
use super::format::{Decode, Encode, Formats, Record};
use super::input;
use super::options::{BatchOutput, OnError};
use super::output;
use super::processed::{BatchFailure, Processed};
use crate::error::{Error, ErrorKind, Result};
use crate::runtime::callable::CallArgs;
use crate::session::Worker;

/// Processes the records of one worker.
pub(super) struct Processor<'a> {
    formats: &'a Formats<'a>,
    worker: Worker<'a>,
    recorder: Option<Recorder<'a>>,
    /// Whether there is a stream of errors.
    has_errors: bool,
    decoder: Box<dyn Decode + 'a>,
    encoder: Box<dyn Encode + 'a>,
    /// The arguments of the current call.
    args: CallArgs,
}

impl<'a> Processor<'a> {
    pub(super) fn new(
        formats: &'a Formats<'a>,
        worker: Worker<'a>,
        recorder: Option<Recorder<'a>>,
        has_errors: bool,
    ) -> Self {
        let (decoder, encoder) = (input::decoder(formats), output::encoder(formats));
        Self { formats, worker, recorder, has_errors, decoder, encoder, args: CallArgs::Core(Vec::new()) }
    }

    /// Calls the function with a record, and writes its result or its error.
    pub(super) fn record(&mut self, chunk: &Chunk, index: usize, out: &mut Processed) {
        let (id, decoded) = self.decoder.decode(chunk, index, &mut self.args);
        let record = Record { chunk, index, id };
        let outcome = decoded.and_then(|()| self.call(&record, &mut out.output));
        match outcome {
            Ok(()) => out.tally.succeeded(),
            Err(error) => self.write_failure(&record, error, out),
        }
    }

    /// Writes the error of a record.
    pub(super) fn fail(&mut self, chunk: &Chunk, index: usize, error: Error, out: &mut Processed) {
        let (id, _) = self.decoder.decode(chunk, index, &mut self.args);
        self.write_failure(&Record { chunk, index, id }, error, out);
    }

    /// Ends a piece of output.
    pub(super) fn finish(&mut self, out: &mut Processed) {
        self.encoder.finish(&mut out.output);
    }

    fn call(&mut self, record: &Record<'_>, output: &mut Vec<u8>) -> Result<()> {
        self.check_id(record)?;
        let called = self.worker.call(&self.args);
        let length = output.len();
        let written = called.and_then(|result| self.encoder.result(record, result, output));
        if let Some(recorder) = &mut self.recorder {
            recorder.record(&self.worker.usage());
        }
        written.inspect_err(|_| output.truncate(length))
    }

    /// Checks that output in columns has one for the id.
    fn check_id(&self, record: &Record<'_>) -> Result<()> {
        let has_columns = matches!(self.formats.options.output, BatchOutput::Csv | BatchOutput::Arrow);
        if !has_columns || record.id.is_none() || self.formats.layout().has_ids {
            return Ok(());
        }
        let message = "the record has an id, and the first record had none, so there is no column for it";
        Err(Error::new(ErrorKind::InvalidArgument, message))
    }

    fn write_failure(&mut self, record: &Record<'_>, error: Error, out: &mut Processed) {
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
