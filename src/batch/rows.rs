//! Whether a worker calls its function for many records at a time.

use std::mem;

use super::caller::Caller;
use crate::session::RowWorker;

/// The number of records to process before the loop is prepared. Preparing it takes about as long as these calls.
const BEFORE_PREPARING: usize = 10_000;

/// The same once the loop is compiled, by another worker or for an earlier instance.
const BEFORE_LINKING: usize = 1_000;

/// The state of one worker.
#[derive(Debug)]
pub(super) struct RowState {
    state: State,
    /// The number of records that were processed one by one, until calls are prepared.
    waited: usize,
    /// The columns of arguments, where the format stores none.
    pub(super) args: Vec<Vec<u8>>,
    /// The columns of results.
    pub(super) results: Vec<Vec<u8>>,
}

#[derive(Debug)]
enum State {
    /// Not prepared yet.
    New,
    Ready(Box<RowWorker>),
    /// Records are processed one by one.
    Impossible,
}

impl RowState {
    /// Creates the state of a worker whose calls are measured or not.
    pub(super) fn new(is_measured: bool) -> Self {
        let state = if is_measured { State::Impossible } else { State::New };
        Self { state, waited: 0, args: Vec::new(), results: Vec::new() }
    }

    /// Takes the worker that calls for many records. Returns `None` if the next record must be processed alone. Until the worker is
    /// put back, the state is [`State::Impossible`], in case something panics.
    #[inline]
    pub(super) fn take(&mut self, caller: &mut Caller<'_>) -> Option<Box<RowWorker>> {
        let wait = match (&self.state, &caller) {
            (State::Impossible, _) => return None,
            (State::New, Caller::Function { worker, .. })
                if self.is_time_to_look() && RowWorker::is_compiled(worker) =>
            {
                0
            }
            (State::New, _) => BEFORE_PREPARING,
            (State::Ready(rows), Caller::Function { worker, .. }) if rows.is_linked(worker) => 0,
            (State::Ready(_), _) => BEFORE_LINKING,
        };
        if self.waited < wait {
            self.waited += 1;
            return None;
        }
        self.prepare(caller)
    }

    /// Returns whether to check now if another worker has compiled the loop. The check costs a few calls.
    fn is_time_to_look(&self) -> bool {
        self.waited > 0 && self.waited.is_multiple_of(BEFORE_LINKING)
    }

    fn prepare(&mut self, caller: &mut Caller<'_>) -> Option<Box<RowWorker>> {
        self.waited = 0;
        let Caller::Function { worker, .. } = caller else {
            self.state = State::Impossible;
            return None;
        };
        match mem::replace(&mut self.state, State::Impossible) {
            State::Ready(rows) if rows.is_linked(worker) => Some(rows),
            State::Ready(rows) => rows.linked(worker).map(Box::new),
            _ => RowWorker::new(worker).map(Box::new),
        }
    }

    /// Puts the worker back.
    pub(super) fn put_back(&mut self, rows: Box<RowWorker>) {
        self.state = State::Ready(rows);
    }
}
