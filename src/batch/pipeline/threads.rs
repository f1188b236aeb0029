//! The threads of a pipeline.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, Scope};
use std::time::{Duration, Instant};

use super::schedule::{PieceOutput, Work};
use super::shared::{Panic, Pause, Shared};
use crate::error::{Error, ErrorKind, Result};
use crate::session::nanoseconds;

/// How a pipeline works.
#[derive(Clone, Copy, Debug)]
pub(in crate::batch) struct PipelineOptions {
    /// The number of threads that work.
    pub(in crate::batch) jobs: NonZeroUsize,
    /// Whether outputs come in the order of their records.
    pub(in crate::batch) ordered: bool,
    /// How long a record may take: see [`Outputs::end`].
    pub(in crate::batch) max_time: Option<Duration>,
}

/// The outputs of a pipeline. Dropping it ends the pipeline.
pub(in crate::batch) struct Outputs<'a, W: Work, U: PieceOutput> {
    shared: Arc<Shared<'a, W, U>>,
    wake: Box<dyn Fn() + Send + 'a>,
}

/// Ways to stop a pipeline.
pub(in crate::batch) trait Interrupt: Clone + Send + Sync {
    /// Returns whether the pipeline should stop.
    fn is_requested(&self) -> bool;

    /// Interrupts a source that blocks, because its records are not needed.
    fn wake(&self);
}

/// Starts a pipeline. One thread calls `source` until it returns `None`. Each of the others calls `worker` once, and passes records
/// to the function that it returns. This function processes at least one record from the front of its queue, and leaves the
/// others there when the pause is due.
///
/// Memory is bounded: about 128 KiB of records for each worker, 4 MiB of outputs, and the size of the largest records and outputs.
///
/// If the source or a worker panics, the outputs end before it; see [`Outputs::take_panic`].
///
/// # Errors
/// [`ErrorKind::Io`] if the system cannot create a thread.
pub(in crate::batch) fn start<'scope, W, U, F>(
    scope: &'scope Scope<'scope, '_>,
    options: PipelineOptions,
    source: impl FnMut() -> Option<W> + Send + 'scope,
    worker: impl Fn() -> F + Send + Sync + 'scope,
    interrupt: &(impl Interrupt + 'scope),
) -> Result<Outputs<'scope, W, U>>
where
    W: Work + Send + 'scope,
    U: PieceOutput + Send + 'scope,
    F: FnMut(&mut VecDeque<W>, Pause<'_>) -> U,
{
    let PipelineOptions { jobs, ordered, max_time } = options;
    let requested = interrupt.clone();
    let mut shared = Shared::new(jobs.get(), ordered, move || requested.is_requested());
    if let Some(max) = max_time {
        shared.limit_time(max);
    }
    let shared = Arc::new(shared);
    // Ends the threads if one cannot be started.
    let waker = interrupt.clone();
    let outputs = Outputs { shared: Arc::clone(&shared), wake: Box::new(move || waker.wake()) };
    let worker = Arc::new(worker);
    for _ in 0..jobs.get() {
        let (shared, worker, interrupt) = (Arc::clone(&shared), Arc::clone(&worker), interrupt.clone());
        spawn(scope, "wrun worker", move || work(&shared, worker.as_ref(), || interrupt.wake()))?;
    }
    spawn(scope, "wrun reader", move || read(&shared, source))?;
    Ok(outputs)
}

/// Starts a thread.
///
/// # Errors
/// [`ErrorKind::Io`] if the system cannot create it.
pub(in crate::batch) fn spawn<'scope>(
    scope: &'scope Scope<'scope, '_>,
    name: &str,
    work: impl FnOnce() + Send + 'scope,
) -> Result<()> {
    let spawned = thread::Builder::new().name(name.to_owned()).spawn_scoped(scope, work);
    spawned
        .map(|_| ())
        .map_err(|error| Error::new(ErrorKind::Io, format!("cannot create a thread: {error}")).with_source(error))
}

fn read<W: Work, U: PieceOutput>(shared: &Shared<'_, W, U>, mut source: impl FnMut() -> Option<W>) {
    let read = catch_unwind(AssertUnwindSafe(|| {
        while shared.wait_for_room()
            && let Some(work) = source()
        {
            shared.push(work);
        }
        drop(source);
    }));
    shared.end_reading(read.err());
}

/// Processes records until all are done. Calls `wake` if the batch ends early because of one.
fn work<W, U, F>(shared: &Shared<'_, W, U>, worker: &impl Fn() -> F, wake: impl Fn())
where
    W: Work,
    U: PieceOutput,
    F: FnMut(&mut VecDeque<W>, Pause<'_>) -> U,
{
    let mut process = None;
    while let Some((mut piece, pause)) = shared.take() {
        let start = Instant::now();
        let processed = catch_unwind(AssertUnwindSafe(|| process.get_or_insert_with(worker)(&mut piece.works, pause)));
        let is_last = match processed {
            Ok(output) => shared.finish(piece.first, output, piece.works, nanoseconds(start.elapsed())),
            Err(panic) => {
                process = None;
                shared.fail(piece.first, panic);
                true
            }
        };
        if is_last {
            wake();
        }
    }
}

impl<W: Work, U: PieceOutput> Outputs<'_, W, U> {
    /// Waits for outputs, after the ones that were returned before are written. Returns `None` after the last.
    pub(in crate::batch) fn next(&self) -> Option<Vec<U>> {
        self.shared.next_outputs()
    }

    /// If the time of records is limited, waits for the workers. Returns the position of the first record that took too long,
    /// without waiting for it: the outputs have ended before this record.
    pub(in crate::batch) fn end(&self) -> Option<u64> {
        self.shared.end()
    }

    /// Returns whether a stop has dropped records or the rest of the input.
    pub(in crate::batch) fn has_dropped(&self) -> bool {
        self.shared.has_dropped()
    }

    /// Returns the panic that ended the pipeline.
    pub(in crate::batch) fn take_panic(&self) -> Option<Panic> {
        self.shared.take_panic()
    }
}

impl<W: Work, U: PieceOutput> Drop for Outputs<'_, W, U> {
    fn drop(&mut self) {
        self.shared.close();
        (self.wake)();
    }
}
