//! The records that a worker processes at a time.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::chunk::Part;
use super::pipeline::shared::Pause;
use super::process::Processor;
use super::processed::{Mark, Processed};
use crate::error::Error;

#[cfg(test)]
mod tests;

/// The size of an output at which a piece ends, in bytes.
const MAX_OUTPUT: usize = 64 << 10;

/// Processes records until all are done, the pause is due, the output is large or a record ends the batch. Leaves the others in
/// `parts`. A record that panics fails.
pub(super) fn process(processor: &mut Processor<'_>, parts: &mut VecDeque<Part>, pause: Pause<'_>) -> Processed {
    let mut out = processor.begin();
    let mut begin = processor.mark(&out);
    while let Err(panic) = catch_unwind(AssertUnwindSafe(|| records(processor, parts, pause, &mut begin, &mut out))) {
        let Some(Part { chunk, indices }) = parts.front() else { break };
        let error = Error::of_panic("the record made wrun panic", panic.as_ref());
        processor.fail(chunk, indices.start - 1, error, begin, &mut out);
        if is_done(&out, pause) {
            break;
        }
    }
    parts.retain(|part| !part.indices.is_empty());
    processor.finish(&mut out);
    out
}

/// Processes records, and sets `begin` to the start of the output of the current one.
fn records(
    processor: &mut Processor<'_>,
    parts: &mut VecDeque<Part>,
    pause: Pause<'_>,
    begin: &mut Mark,
    out: &mut Processed,
) {
    while let Some(Part { chunk, indices }) = parts.front_mut() {
        while indices.start < indices.end {
            *begin = processor.mark(out);
            processor.process(chunk, indices, out);
            if is_done(out, pause) {
                return;
            }
        }
        parts.pop_front();
    }
}

/// Returns whether a piece of output ends.
fn is_done(out: &Processed, pause: Pause<'_>) -> bool {
    out.failure.is_some() || out.output.len() + out.errors.len() >= MAX_OUTPUT || pause.is_due()
}
