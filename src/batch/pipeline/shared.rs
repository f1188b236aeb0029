//! The schedule behind a lock, with the threads that wait for it.

use std::any::Any;
use std::collections::{BTreeMap, VecDeque};
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use super::schedule::{Piece, PieceOutput, Schedule, Work};
use crate::sync::{AtomicU64, Condvar, Mutex, MutexGuard, Ordering};

/// The payload of a panic.
pub(crate) type Panic = Box<dyn Any + Send>;

/// The shared state of a pipeline's threads. One thread reads, any number work, one is the sink.
///
/// While workers run, the sink waits until there are many outputs, but only for a few milliseconds. If there are none then, it asks
/// the workers for the results that they have, so that these do not wait for slow records later in the same piece. This affects
/// only the latency.
pub(crate) struct Shared<'a, W, U> {
    state: Mutex<State<W, U>>,
    reader: Condvar,
    workers: Condvar,
    sink: Condvar,
    /// Counts the requests to workers to return their outputs.
    round: AtomicU64,
    /// How long a piece of one record may take. `None` for any time.
    max_time: Option<Duration>,
    is_stop_requested: Box<dyn Fn() -> bool + Send + Sync + 'a>,
}

struct State<W, U> {
    schedule: Schedule<W, U>,
    is_closed: bool,
    is_reader_waiting: bool,
    waiting_workers: usize,
    sink: Sink,
    /// Bytes of the outputs that the sink has now.
    sink_bytes: usize,
    /// The first panic by its position in the stream.
    panic: Option<(u64, Panic)>,
    /// When the pieces that run began, by their position, if their time is limited.
    begins: BTreeMap<u64, Instant>,
    /// The position of the first piece that took too long.
    overdue: Option<u64>,
}

/// The state of the sink.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sink {
    Awake,
    /// It waits for workers.
    Waiting,
    /// It waits without a time limit, because nothing runs.
    Asleep,
}

/// Tells a worker when to return its output.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pause<'a> {
    round: &'a AtomicU64,
    taken: u64,
}

impl Pause<'_> {
    pub(crate) fn is_due(&self) -> bool {
        self.round.load(Ordering::Relaxed) != self.taken
    }
}

impl<'a, W: Work, U: PieceOutput> Shared<'a, W, U> {
    /// The time after which a waiting sink asks workers for their outputs.
    const MAX_WAIT: Duration = Duration::from_millis(4);

    pub(crate) fn new(jobs: usize, ordered: bool, is_stop_requested: impl Fn() -> bool + Send + Sync + 'a) -> Self {
        let state = State {
            schedule: Schedule::new(jobs, ordered),
            is_closed: false,
            is_reader_waiting: false,
            waiting_workers: 0,
            sink: Sink::Awake,
            sink_bytes: 0,
            panic: None,
            begins: BTreeMap::new(),
            overdue: None,
        };
        Self {
            state: Mutex::new(state),
            reader: Condvar::new(),
            workers: Condvar::new(),
            sink: Condvar::new(),
            round: AtomicU64::new(0),
            max_time: None,
            is_stop_requested: Box::new(is_stop_requested),
        }
    }

    /// Ends the batch before the first record that takes longer than this. Each record is then a piece, so that no results wait
    /// for it.
    pub(crate) fn limit_time(&mut self, max: Duration) {
        self.max_time = Some(max);
        self.lock().schedule.make_single();
    }

    fn lock(&self) -> MutexGuard<'_, State<W, U>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Locks the state, and stops the schedule if that was requested.
    fn lock_checked(&self) -> MutexGuard<'_, State<W, U>> {
        let is_stop_requested = (self.is_stop_requested)();
        let mut state = self.lock();
        if is_stop_requested {
            self.stop(&mut state);
        }
        state
    }

    fn stop(&self, state: &mut State<W, U>) {
        if state.schedule.stop() {
            self.request_outputs();
            self.wake_all(state);
        }
    }

    fn wake_all(&self, state: &State<W, U>) {
        if state.is_reader_waiting {
            self.reader.notify_one();
        }
        self.wake_workers(state);
        if state.sink != Sink::Awake {
            self.sink.notify_one();
        }
    }

    fn wake_workers(&self, state: &State<W, U>) {
        if state.waiting_workers > 0 {
            self.workers.notify_all();
        }
    }

    /// Waits until more records should be read. Returns false if reading should end.
    pub(crate) fn wait_for_room(&self) -> bool {
        let mut state = self.lock_checked();
        loop {
            if state.is_closed || state.schedule.is_read() {
                return false;
            }
            if state.schedule.has_room() {
                return true;
            }
            state.is_reader_waiting = true;
            state = self.reader.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.is_reader_waiting = false;
        }
    }

    /// Adds records that were read. A stop that was requested while the reader waited drops them.
    pub(crate) fn push(&self, work: W) {
        let mut state = self.lock_checked();
        let many = work.len() > 1;
        state.schedule.push(work);
        match state.waiting_workers {
            0 => {}
            _ if many => self.workers.notify_all(),
            _ => self.workers.notify_one(),
        }
        if state.sink == Sink::Asleep {
            self.sink.notify_one();
        }
    }

    /// Notes that the reader has ended, perhaps by a panic.
    pub(crate) fn end_reading(&self, panic: Option<Panic>) {
        let mut state = self.lock_checked();
        if let Some(panic) = panic {
            state.note_panic(u64::MAX, panic);
        }
        state.schedule.end_reading();
        self.wake_all(&state);
    }

    /// Waits for records to process. Returns `None` if there will be none.
    pub(crate) fn take(&self) -> Option<(Piece<W>, Pause<'_>)> {
        let mut state = self.lock_checked();
        loop {
            if state.is_closed {
                return None;
            }
            if let Some(piece) = state.schedule.take() {
                if state.is_reader_waiting && state.schedule.has_much_room() {
                    self.reader.notify_one();
                }
                if self.max_time.is_some() {
                    state.begins.insert(piece.first, Instant::now());
                }
                let pause = Pause { round: &self.round, taken: self.round.load(Ordering::Relaxed) };
                return Some((piece, pause));
            }
            if state.schedule.is_worked() {
                return None;
            }
            state.waiting_workers += 1;
            state = self.workers.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.waiting_workers -= 1;
        }
    }

    /// Adds the output of a piece, with the records of it that were not processed. Returns whether the batch ends with it.
    pub(crate) fn finish(&self, first: u64, output: U, rest: VecDeque<W>, ns: u64) -> bool {
        let mut state = self.lock();
        let is_last = output.is_last();
        if is_last {
            self.request_outputs();
        }
        state.begins.remove(&first);
        state.schedule.finish(first, output, rest, ns);
        self.wake_after_work(&state);
        is_last
    }

    /// Ends the batch before a piece whose worker panicked.
    pub(crate) fn fail(&self, first: u64, panic: Panic) {
        let mut state = self.lock();
        state.note_panic(first, panic);
        state.begins.remove(&first);
        state.schedule.fail(first);
        self.request_outputs();
        self.wake_after_work(&state);
    }

    fn wake_after_work(&self, state: &State<W, U>) {
        let schedule = &state.schedule;
        if state.sink != Sink::Awake && (schedule.is_due() || schedule.is_over()) {
            self.sink.notify_one();
        }
        if schedule.has_waiting() || schedule.is_worked() {
            self.wake_workers(state);
        }
        if state.is_reader_waiting && (schedule.is_read() || schedule.has_much_room()) {
            self.reader.notify_one();
        }
    }

    /// Waits for outputs, after the ones that were returned before are written. Returns `None` after the last.
    pub(crate) fn next_outputs(&self) -> Option<Vec<U>> {
        let mut state = self.lock_checked();
        let written = std::mem::take(&mut state.sink_bytes);
        state.schedule.release(written);
        // There is room for more outputs.
        self.wake_workers(&state);
        loop {
            self.end_before_overdue(&mut state);
            let (outputs, bytes) = state.schedule.ready();
            state.sink_bytes = bytes;
            let is_over = state.schedule.is_over();
            if !outputs.is_empty() || is_over {
                // A worker may wait for the output before its record to be taken.
                self.wake_workers(&state);
                return (!outputs.is_empty()).then_some(outputs);
            }
            if state.schedule.is_idle() {
                state.sink = Sink::Asleep;
                state = self.sink.wait(state).unwrap_or_else(PoisonError::into_inner);
            } else {
                state.sink = Sink::Waiting;
                let waited = self.sink.wait_timeout(state, Self::MAX_WAIT).unwrap_or_else(PoisonError::into_inner);
                state = waited.0;
                if waited.1.timed_out() {
                    if !state.schedule.is_ready() {
                        self.request_outputs();
                    }
                    if (self.is_stop_requested)() {
                        self.stop(&mut state);
                    }
                }
            }
            state.sink = Sink::Awake;
        }
    }

    /// Ends the batch before a record that takes too long.
    fn end_before_overdue(&self, state: &mut State<W, U>) {
        let Some(max) = self.max_time else { return };
        let overdue = state.begins.iter().find(|(_, begin)| begin.elapsed() >= max).map(|(first, _)| *first);
        if let Some(first) = overdue {
            state.begins.remove(&first);
            state.overdue = Some(state.overdue.map_or(first, |other| other.min(first)));
            state.schedule.fail(first);
            self.request_outputs();
            self.wake_all(state);
        }
    }

    /// If the time of records is limited, ends all threads and waits for the workers. Returns the position of the first record
    /// that took too long, without waiting for it.
    pub(crate) fn end(&self) -> Option<u64> {
        self.max_time?;
        self.close();
        let mut state = self.lock();
        loop {
            self.end_before_overdue(&mut state);
            if state.overdue.is_some() || !state.schedule.is_running() {
                return state.overdue;
            }
            state = self.sink.wait_timeout(state, Self::MAX_WAIT).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Asks workers to return the outputs that they have.
    pub(crate) fn request_outputs(&self) {
        self.round.fetch_add(1, Ordering::Relaxed);
    }

    /// Ends all threads as soon as possible. Outputs that were not taken are dropped.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.is_closed = true;
        state.schedule.close();
        self.request_outputs();
        self.wake_all(&state);
    }

    /// Returns whether a stop has dropped records or the rest of the input.
    pub(crate) fn has_dropped(&self) -> bool {
        self.lock().schedule.has_dropped()
    }

    /// Returns the panic that ended the batch.
    pub(crate) fn take_panic(&self) -> Option<Panic> {
        self.lock().panic.take().map(|(_, panic)| panic)
    }
}

impl<W, U> State<W, U> {
    fn note_panic(&mut self, position: u64, panic: Panic) {
        if self.panic.as_ref().is_none_or(|(first, _)| position < *first) {
            self.panic = Some((position, panic));
        }
    }
}
