//! Calls for records that are stored by column.

use std::ops::Range;
use std::time::{Duration, Instant};

use super::caller::Caller;
use super::chunk::Chunk;
use super::format::Encode;
use super::processed::Processed;
use crate::error::Result;
use crate::session::RowWorker;

/// The number of records after which calls for many rows are prepared, which takes about as long as this number of calls.
const MIN_RECORDS: usize = 20_000;

/// How long the calls for some rows should take, so that a stop or a result need not wait.
const TARGET: Duration = Duration::from_millis(1);

/// Calls the function of one worker for many rows at a time, where that is possible.
#[derive(Debug)]
pub(super) struct Rows {
    state: State,
    /// The columns of results.
    results: Vec<Vec<u8>>,
    /// The number of rows at a time.
    at_once: usize,
}

#[derive(Debug)]
enum State {
    /// Not prepared yet, after this number of records.
    New(usize),
    Ready(Box<RowWorker>),
    Impossible,
}

impl Rows {
    /// Prepares nothing yet.
    pub(super) fn new(encoder: &dyn Encode) -> Self {
        let state = if encoder.takes_columns() { State::New(0) } else { State::Impossible };
        Self { state, results: Vec::new(), at_once: RowWorker::MAX_ROWS / 16 }
    }

    /// Calls the function with records from the front, and encodes the results. Returns the number of records with results, and the
    /// error of the record after these; `None` if records must be processed one by one.
    #[inline]
    pub(super) fn call(
        &mut self,
        caller: &mut Caller<'_>,
        encoder: &mut dyn Encode,
        chunk: &Chunk,
        indices: Range<usize>,
        out: &mut Processed,
    ) -> Option<(usize, Result<()>)> {
        if matches!(self.state, State::Impossible) {
            return None;
        }
        self.call_rows(caller, encoder, chunk, indices, out)
    }

    fn call_rows(
        &mut self,
        caller: &mut Caller<'_>,
        encoder: &mut dyn Encode,
        chunk: &Chunk,
        indices: Range<usize>,
        out: &mut Processed,
    ) -> Option<(usize, Result<()>)> {
        let Caller::Function { worker, decoder, .. } = caller else { return None };
        match &mut self.state {
            State::Impossible => return None,
            State::New(records) if *records < MIN_RECORDS => {
                *records += 1;
                return None;
            }
            State::New(_) => {
                self.state = RowWorker::new(worker).map_or(State::Impossible, |rows| State::Ready(Box::new(rows)));
            }
            State::Ready(_) => {}
        }
        let State::Ready(rows) = &mut self.state else { return None };
        let indices = indices.start..indices.end.min(indices.start + self.at_once);
        let args = decoder.columns(chunk, indices.clone())?;
        let start = Instant::now();
        let (done, outcome) = rows.call(worker, indices.len(), &args, &mut self.results);
        self.at_once = match start.elapsed() {
            time if time < TARGET / 2 => (self.at_once * 2).min(RowWorker::MAX_ROWS),
            time if time > TARGET => (self.at_once / 2).max(1),
            _ => self.at_once,
        };
        encoder.columns(chunk, indices.start..indices.start + done, &self.results, &mut out.output);
        out.tally.succeeded(done as u64);
        Some((done, outcome))
    }
}
