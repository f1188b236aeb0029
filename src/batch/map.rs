//! A batch over arguments in memory.

use std::collections::VecDeque;
use std::iter::FusedIterator;
use std::num::NonZeroUsize;
use std::panic;
use std::thread::Scope;
use std::vec;

use derive_more::Debug;

use super::pipeline::schedule::{PieceOutput, Work};
use super::pipeline::shared::Pause;
use super::pipeline::threads::{self, Interrupt, Outputs, PipelineOptions};
use super::stuck;
use crate::component::value::WitValue;
use crate::error::Result;
use crate::runtime::call::CallResult;
use crate::runtime::callable::{CallArgs, Callable};
use crate::session::{PreparedCode, StuckLimit, Worker, WorkerOptions};

/// The size at which a worker passes results on, in bytes.
const MAX_RESULTS: usize = 64 << 10;

/// Calls one function with many arguments.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    code: &'a PreparedCode,
    callable: &'a Callable,
    options: WorkerOptions,
}

/// The arguments of a call, or an error that becomes its result.
pub trait BatchArgs {
    /// Returns the arguments.
    ///
    /// # Errors
    /// The error that becomes the result.
    fn into_args(self) -> Result<CallArgs>;
}

impl<T: Into<CallArgs>> BatchArgs for T {
    fn into_args(self) -> Result<CallArgs> {
        Ok(self.into())
    }
}

impl BatchArgs for Result<CallArgs> {
    fn into_args(self) -> Result<CallArgs> {
        self
    }
}

impl<'a> Batch<'a> {
    /// Creates a batch of calls.
    #[must_use]
    pub fn new(code: &'a PreparedCode, callable: &'a Callable, options: WorkerOptions) -> Self {
        Self { code, callable, options }
    }

    /// Calls the function with each item of an iterator, on the calling thread, when the next result is asked for.
    ///
    /// A time limit cannot interrupt a host function. If one blocks, its call fails with
    /// [`ErrorKind::Timeout`](crate::ErrorKind::Timeout) when it returns. [`Batch::map`] does not wait for it.
    pub fn iter<I>(&self, args: I) -> impl Iterator<Item = Result<CallResult>> + use<'a, I>
    where
        I: IntoIterator<Item: BatchArgs>,
    {
        let mut worker = Worker::new(self.code, self.callable, self.options);
        args.into_iter().map(move |args| call(&mut worker, args.into_args()))
    }

    /// Calls the function with each item of an iterator, on `jobs` threads. The results come in the order of the items. Another
    /// thread takes the items, a bounded number ahead of the results.
    ///
    /// Dropping the results ends the calls. The scope then ends when the calls that run have returned, and the iterator its
    /// current item.
    ///
    /// A call that is still running long after its time limit (at twice the limit and a second), because a host function blocks,
    /// ends the results: all earlier ones come first, then [`ErrorKind::Timeout`](crate::ErrorKind::Timeout) in its place, then
    /// none. The scope still waits for the host function.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) if the system cannot create a thread.
    pub fn map<'scope, 'env, I>(
        &self,
        scope: &'scope Scope<'scope, 'env>,
        jobs: NonZeroUsize,
        args: I,
    ) -> Result<Results<'scope>>
    where
        'a: 'scope,
        I: IntoIterator<Item: BatchArgs, IntoIter: Send + 'scope>,
    {
        let Self { code, callable, options } = *self;
        let mut args = args.into_iter();
        let source = move || args.next().map(|args| Item(args.into_args()));
        let worker = move || {
            let mut worker = Worker::new(code, callable, options);
            move |items: &mut VecDeque<Item>, pause: Pause<'_>| {
                let mut results = CallResults::default();
                while let Some(Item(args)) = items.pop_front() {
                    results.push(call(&mut worker, args));
                    if pause.is_due() || results.bytes >= MAX_RESULTS {
                        break;
                    }
                }
                results
            }
        };
        let stuck = stuck::limit(code, options.limits);
        let pipeline = PipelineOptions { jobs, ordered: true, max_time: stuck.map(StuckLimit::max_time) };
        let outputs = threads::start(scope, pipeline, source, worker, &Never)?;
        Ok(Results { outputs, stuck, batch: Vec::new().into_iter(), ready: Vec::new().into_iter() })
    }
}

fn call(worker: &mut Worker<'_>, args: Result<CallArgs>) -> Result<CallResult> {
    worker.call(&args?).cloned()
}

/// The results of [`Batch::map`], in the order of the arguments.
///
/// # Panics
/// [`Iterator::next`] panics after the last result if the iterator of the arguments has panicked.
#[derive(Debug)]
pub struct Results<'scope> {
    #[debug(skip)]
    outputs: Outputs<'scope, Item, CallResults>,
    /// Until the outputs have ended.
    stuck: Option<StuckLimit>,
    #[debug(skip)]
    batch: vec::IntoIter<CallResults>,
    #[debug(skip)]
    ready: vec::IntoIter<Result<CallResult>>,
}

impl Iterator for Results<'_> {
    type Item = Result<CallResult>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(result) = self.ready.next() {
                return Some(result);
            }
            if let Some(CallResults { results, .. }) = self.batch.next() {
                self.ready = results.into_iter();
                continue;
            }
            let Some(outputs) = self.outputs.next() else {
                if let Some(stuck) = self.stuck.take()
                    && self.outputs.end().is_some()
                {
                    return Some(Err(stuck.error()));
                }
                match self.outputs.take_panic() {
                    Some(panic) => panic::resume_unwind(panic),
                    None => return None,
                }
            };
            self.batch = outputs.into_iter();
        }
    }
}

impl FusedIterator for Results<'_> {}

/// The arguments of one call.
struct Item(Result<CallArgs>);

impl Work for Item {
    fn len(&self) -> usize {
        1
    }

    fn bytes(&self) -> usize {
        let args = match &self.0 {
            Ok(CallArgs::Core(values)) => size_of_val(values.as_slice()),
            Ok(CallArgs::Component(values)) => values.iter().map(WitValue::memory_bytes).sum(),
            Err(_) => 0,
        };
        size_of::<Self>() + args
    }

    fn split_to(&mut self, records: usize) -> Self {
        unreachable!("{records} of one record")
    }
}

/// The results of some calls.
#[derive(Default)]
struct CallResults {
    results: Vec<Result<CallResult>>,
    bytes: usize,
}

impl CallResults {
    fn push(&mut self, result: Result<CallResult>) {
        let heap = match &result {
            Ok(CallResult::Core(values)) => size_of_val(values.as_slice()),
            Ok(CallResult::Component(value, _)) => value.as_ref().map_or(0, WitValue::memory_bytes),
            Err(error) => error.message().len(),
        };
        self.bytes += size_of_val(&result) + heap;
        self.results.push(result);
    }
}

impl PieceOutput for CallResults {
    fn bytes(&self) -> usize {
        self.bytes
    }

    fn is_last(&self) -> bool {
        false
    }
}

/// No way to stop a pipeline, except to drop its outputs.
#[derive(Clone, Copy)]
struct Never;

impl Interrupt for Never {
    fn is_requested(&self) -> bool {
        false
    }

    fn wake(&self) {}
}
