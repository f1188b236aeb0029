//! Calls of a worker's function for many rows of arguments at a time.

use std::sync::Arc;

use super::worker::{InstanceMode, Worker, guard};
use crate::error::{Error, ErrorKind, Result};
use crate::runtime::callable::CallableType;
use crate::runtime::code::CodeInstance;
use crate::runtime::row_loop::{self, RowCaller, RowLoop};
use crate::runtime::traits::WasmInstance;

/// Calls the function of a [`Worker`] for many rows at a time.
#[derive(Debug)]
pub(crate) struct RowWorker {
    code: Arc<RowLoop>,
    /// The loop, linked in the instance with this number.
    linked: Option<(u64, RowCaller)>,
}

/// An instance, and the caller that is linked in it.
type LinkedInstance<'w> = (&'w mut (dyn WasmInstance + 'static), &'w mut RowCaller);

impl RowWorker {
    /// The maximum number of rows at a time.
    pub(crate) const MAX_ROWS: usize = row_loop::MAX_ROWS;

    /// Prepares calls for rows. Returns `None` if the worker must make its calls one by one: if they are measured, metered or can be
    /// interrupted, if each has an instance, or if the function takes or returns more than a few numbers.
    pub(crate) fn new(worker: &mut Worker<'_>) -> Option<Self> {
        let CallableType::Core(ty) = worker.callable.ty() else { return None };
        let options = &worker.options;
        let is_plain = options.instance == InstanceMode::Shared && !options.measure_time;
        let config = worker.code.runtime().config();
        let is_stoppable = config.metering || config.interruption;
        // A pooled store has no slot for the instance of the loop.
        if !is_plain || is_stoppable || config.pooled_instances.is_some() || !RowLoop::is_for(ty) {
            return None;
        }
        match worker.code.row_loop(ty) {
            Ok(code) => Self { code, linked: None }.linked(worker),
            Err(error) => {
                tracing::debug!(%error, "calls are made one by one");
                None
            }
        }
    }

    /// Returns whether another worker has compiled the loop, so that preparing takes less time.
    pub(crate) fn is_compiled(worker: &Worker<'_>) -> bool {
        let CallableType::Core(ty) = worker.callable.ty() else { return false };
        worker.code.has_row_loop(ty)
    }

    /// Links the loop in the worker's instance, unless it is. Returns `None` if this is not possible.
    pub(crate) fn linked(mut self, worker: &mut Worker<'_>) -> Option<Self> {
        let is_linked = self.linked_instance(worker).map(|linked_instance| linked_instance.is_some());
        let is_linked = is_linked.inspect_err(|error| tracing::debug!(%error, "calls are made one by one"));
        is_linked.unwrap_or(false).then_some(self)
    }

    /// Returns whether the loop is linked in the worker's instance.
    pub(crate) fn is_linked(&self, worker: &Worker<'_>) -> bool {
        self.linked.as_ref().is_some_and(|(owner, _)| worker.instance_id() == Some(*owner))
    }

    /// Returns the worker's instance and the caller in it. Links the loop if the instance is new. Returns `None` for a WASIX program.
    fn linked_instance<'w>(&'w mut self, worker: &'w mut Worker<'_>) -> Result<Option<LinkedInstance<'w>>> {
        let name = worker.callable.name();
        let (instance, _) = guard(|| worker.start_shared())?;
        let CodeInstance::Module(instance) = instance.instance() else { return Ok(None) };
        let instance = instance.as_mut();
        let id = instance.core().id();
        if self.linked.as_ref().is_none_or(|(owner, _)| *owner != id) {
            self.linked = self.code.link(instance, name)?.map(|caller| (id, caller));
        }
        Ok(self.linked.as_mut().map(|(_, caller)| (instance, caller)))
    }

    /// Calls the function for each row of arguments, until a call fails. `args` has a column for each parameter: at most
    /// [`RowWorker::MAX_ROWS`] numbers of its width in little-endian order. `results` is overwritten with the columns of the results.
    ///
    /// Returns the number of rows with results, and the error of the row after these.
    pub(crate) fn call(
        &mut self,
        worker: &mut Worker<'_>,
        rows: usize,
        args: &[&[u8]],
        results: &mut Vec<Vec<u8>>,
    ) -> (usize, Result<()>) {
        if rows == 0 {
            return (0, Ok(()));
        }
        let mut done = 0;
        let called = self.try_call(worker, rows, args, results, &mut done);
        if let Err(error) = &called {
            worker.end_failed(error);
        }
        (done, called)
    }

    fn try_call(
        &mut self,
        worker: &mut Worker<'_>,
        rows: usize,
        args: &[&[u8]],
        results: &mut Vec<Vec<u8>>,
        done: &mut usize,
    ) -> Result<()> {
        let Some((instance, caller)) = self.linked_instance(worker)? else {
            return Err(Error::new(ErrorKind::Internal, "the new instance has no functions for rows"));
        };
        caller.set_args(instance, args)?;
        let outcome = guard(|| caller.call(instance, rows));
        *done = caller.results(instance, results)?;
        let calls = *done + usize::from(outcome.is_err());
        instance.core().status().count_calls(calls.saturating_sub(1) as u64);
        // It may be an earlier row whose growth was denied.
        let is_first = *done == 0;
        outcome.map_err(|error| if is_first { error } else { error.without_limit() })
    }
}
