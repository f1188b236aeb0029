//! What a worker does with a record: decode, call, encode.

use super::chunk::{Chunk, Records};
use super::counters::Recorder;
use super::input;
use super::options::{BatchOptions, OnError};
use super::output::{RecordError, json};
use super::processed::{BatchFailure, Processed};
use crate::error::{Error, ErrorKind};
use crate::runtime::callable::Callable;
use crate::session::Worker;

/// Processes the records of one worker.
#[derive(Debug)]
pub(super) struct Processor<'a> {
    pub(super) worker: Worker<'a>,
    pub(super) callable: &'a Callable,
    pub(super) options: &'a BatchOptions,
    pub(super) recorder: Option<Recorder<'a>>,
    pub(super) has_errors: bool,
}

impl Processor<'_> {
    pub(super) fn record(&mut self, chunk: &Chunk, index: usize, out: &mut Processed) {
        let Records::Bytes(records) = &chunk.records;
        let record = records.ranges[index].map(|(start, end)| &records.bytes[start..end]);
        let (id, args) = if let Some(record) = record {
            input::decode(record, self.callable)
        } else {
            let message = format!("the record is longer than {} bytes", self.options.max_record);
            (None, Err(Error::new(ErrorKind::InvalidArgument, message)))
        };
        let called =
            args.and_then(|args| self.worker.call(&args).map(|result| json::result(id, result, &mut out.output)));
        if let Some(recorder) = &mut self.recorder {
            recorder.record(&self.worker.usage());
        }
        match called {
            Ok(()) => out.tally.succeeded(),
            Err(error) => self.fail(chunk, index, error, out),
        }
    }

    pub(super) fn fail(&mut self, chunk: &Chunk, index: usize, error: Error, out: &mut Processed) {
        let number = chunk.first + index as u64;
        let Records::Bytes(records) = &chunk.records;
        let record = records.ranges[index].map(|(start, end)| &records.bytes[start..end]);
        let id = record.and_then(|record| input::decode(record, self.callable).0);
        out.tally.failed(error.kind());
        if self.has_errors {
            json::error(id, RecordError::new(&error, number), &mut out.errors);
        }
        match self.options.on_error {
            OnError::Emit => json::error(id, RecordError::new(&error, number), &mut out.output),
            OnError::Skip => {}
            OnError::Pass => {
                out.output.extend_from_slice(record.unwrap_or_default());
                out.output.push(b'\n');
            }
            OnError::Fail => out.failure = Some(BatchFailure { record: number, error }),
        }
    }

    #[expect(clippy::unused_self, reason = "formats in pieces end them here")]
    pub(super) fn finish(&mut self, _out: &mut Processed) {}
}
