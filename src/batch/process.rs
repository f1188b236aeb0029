//! What a worker does with a chunk: decode, call, encode.

use super::chunk::{Chunk, Processed, Records};
use super::counters::BatchCounters;
use super::input;
use super::options::{BatchOptions, OnError};
use super::output::{RecordError, json};
use crate::error::{Error, ErrorKind};
use crate::runtime::callable::Callable;
use crate::session::Worker;

/// Processes the chunks of one worker.
#[derive(Debug)]
pub(super) struct Processor<'a> {
    pub(super) worker: Worker<'a>,
    pub(super) callable: &'a Callable,
    pub(super) options: &'a BatchOptions,
    pub(super) counters: &'a BatchCounters,
    pub(super) has_errors: bool,
}

impl Processor<'_> {
    pub(super) fn process(&mut self, chunk: &Chunk) -> Processed {
        let mut processed = Processed::default();
        let Records::Bytes(records) = &chunk.records;
        for (number, range) in (chunk.first..).zip(&records.ranges) {
            let record = range.map(|(start, end)| &records.bytes[start..end]);
            if record.is_some_and(|record| record.trim_ascii().is_empty()) {
                continue;
            }
            let (id, args) = if let Some(record) = record {
                input::decode(record, self.callable)
            } else {
                let message = format!("the record is longer than {} bytes", self.options.max_record);
                (None, Err(Error::new(ErrorKind::InvalidArgument, message)))
            };
            match args.and_then(|args| self.worker.call(&args)) {
                Ok(result) => {
                    json::result(id, result, &mut processed.output);
                    self.counters.add(1, 0);
                }
                Err(error) => {
                    self.counters.add(1, 1);
                    if self.has_errors {
                        json::error(id, RecordError::new(&error, number), &mut processed.errors);
                    }
                    match self.options.on_error {
                        OnError::Emit => json::error(id, RecordError::new(&error, number), &mut processed.output),
                        OnError::Skip => {}
                        OnError::Pass => {
                            processed.output.extend_from_slice(record.unwrap_or_default());
                            processed.output.push(b'\n');
                        }
                        OnError::Fail => {
                            processed.stop = true;
                            break;
                        }
                    }
                }
            }
        }
        processed
    }
}
