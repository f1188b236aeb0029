//! Whether a worker calls its function for many records at a time, and for how many.

use std::mem;
use std::time::Duration;

use super::caller::Caller;
use crate::session::RowWorker;

/// The number of records after which calls for many are prepared, which takes about as long as this number of calls.
const MIN_RECORDS: usize = 10_000;

/// How long some records should take together, so that a stop or a result need not wait.
const TARGET: Duration = Duration::from_millis(1);

/// The state of one worker.
#[derive(Debug)]
pub(super) struct Rows {
    state: State,
    /// The number of records at a time.
    pub(super) at_once: usize,
    /// The columns of arguments and of results, where the formats store none.
    pub(super) args: Vec<Vec<u8>>,
    pub(super) results: Vec<Vec<u8>>,
}

#[derive(Debug)]
enum State {
    /// Not prepared yet, after this number of records.
    New(usize),
    Ready(Box<RowWorker>),
    /// Records are processed one by one.
    Impossible,
}

impl Rows {
    /// Creates the state of a worker whose calls are measured or not.
    pub(super) fn new(is_measured: bool) -> Self {
        let state = if is_measured { State::Impossible } else { State::New(0) };
        Self { state, at_once: RowWorker::MAX_ROWS / 16, args: Vec::new(), results: Vec::new() }
    }

    /// Returns the state, if records need not be processed one by one. It is left impossible, in case that something panics.
    #[inline]
    pub(super) fn take(&mut self, caller: &mut Caller<'_>) -> Option<Box<RowWorker>> {
        match &mut self.state {
            State::Impossible => None,
            State::New(records) if *records < MIN_RECORDS => {
                *records += 1;
                None
            }
            _ => self.prepare(caller),
        }
    }

    fn prepare(&mut self, caller: &mut Caller<'_>) -> Option<Box<RowWorker>> {
        match (mem::replace(&mut self.state, State::Impossible), caller) {
            (State::Ready(rows), _) => Some(rows),
            (_, Caller::Function { worker, .. }) => RowWorker::new(worker).map(Box::new),
            (_, Caller::Driver { .. }) => None,
        }
    }

    /// Sets the state after some records, which took this time.
    pub(super) fn put_back(&mut self, rows: Box<RowWorker>, elapsed: Duration) {
        self.state = State::Ready(rows);
        if elapsed < TARGET / 2 {
            self.at_once = (self.at_once * 2).min(RowWorker::MAX_ROWS);
        } else if elapsed > TARGET {
            self.at_once = (self.at_once / 2).max(1);
        }
    }
}
