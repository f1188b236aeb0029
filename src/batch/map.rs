//! A batch over arguments in memory.

use std::num::NonZeroUsize;
use std::ops::ControlFlow;

use super::pipeline;
use crate::error::Result;
use crate::runtime::call::CallResult;
use crate::runtime::callable::{CallArgs, Callable};
use crate::session::{PreparedCode, Worker, WorkerOptions};

/// Calls one function with many arguments.
#[derive(Debug)]
pub struct Batch<'a> {
    code: &'a PreparedCode,
    callable: &'a Callable,
    options: WorkerOptions,
}

impl<'a> Batch<'a> {
    /// Creates a batch of calls.
    #[must_use]
    pub fn new(code: &'a PreparedCode, callable: &'a Callable, options: WorkerOptions) -> Self {
        Self { code, callable, options }
    }

    /// Calls the function with each item of an iterator, on the calling thread, when the next result is asked for.
    pub fn iter<I>(&self, args: I) -> impl Iterator<Item = Result<CallResult>> + use<'a, I>
    where
        I: IntoIterator<Item = CallArgs>,
    {
        let mut worker = Worker::new(self.code, self.callable, self.options);
        args.into_iter().map(move |args| worker.call(&args).cloned())
    }

    /// Calls the function with each item of an iterator, on `jobs` threads, and `sink` with the results in order.
    pub fn map<I>(&self, jobs: NonZeroUsize, args: I, sink: impl FnMut(Result<CallResult>) -> ControlFlow<()>)
    where
        I: IntoIterator<Item = CallArgs, IntoIter: Send>,
    {
        let mut args = args.into_iter();
        let worker = || {
            let mut worker = Worker::new(self.code, self.callable, self.options);
            move |args: CallArgs| worker.call(&args).cloned()
        };
        pipeline::run(jobs, true, || args.next(), worker, sink);
    }
}
