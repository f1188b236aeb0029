//! The records that a worker processes at a time.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::chunk::{Chunk, Part};
use super::pipeline::shared::{Pause, panic_message};
use super::process::Processor;
use super::processed::Processed;
use crate::error::{Error, ErrorKind};

/// The size of an output at which a piece ends, in bytes.
const MAX_OUTPUT: usize = 64 << 10;

/// Processes records until all are done, the pause is due, the output is large or a record ends the batch. Leaves the others in
/// `parts`.
pub(super) fn process(processor: &mut Processor<'_>, parts: &mut VecDeque<Part>, pause: Pause<'_>) -> Processed {
    let mut out = Processed::default();
    while let Some(mut part) = parts.pop_front() {
        while let Some(index) = part.indices.next() {
            record(processor, &part.chunk, index, &mut out);
            if out.failure.is_some() || out.output.len() + out.errors.len() >= MAX_OUTPUT || pause.is_due() {
                if !part.indices.is_empty() {
                    parts.push_front(part);
                }
                processor.finish(&mut out);
                return out;
            }
        }
    }
    processor.finish(&mut out);
    out
}

/// Processes a record. If that panics, the record fails.
fn record(processor: &mut Processor<'_>, chunk: &Chunk, index: usize, out: &mut Processed) {
    let mark = out.mark();
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| processor.record(chunk, index, out))) {
        out.truncate(mark);
        let message = format!("the record made wrun panic: {}", panic_message(&panic));
        processor.fail(chunk, index, Error::new(ErrorKind::Internal, message), out);
    }
}
