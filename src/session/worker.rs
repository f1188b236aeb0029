//! Many calls of one function.

use strum::{Display, EnumString, VariantNames};

use super::{Completion, PreparedCode};
use crate::error::Result;
use crate::limits::Limits;
use crate::runtime::call::{CallResult, ResolvedCallable};
use crate::runtime::callable::{CallArgs, Callable};
use crate::runtime::code::CodeInstance;

/// Which instance a call of a [`Worker`] runs in.
#[derive(Clone, Copy, Debug, Default, Display, EnumString, VariantNames, PartialEq, Eq)]
#[strum(serialize_all = "kebab-case")]
#[non_exhaustive]
pub enum InstanceMode {
    /// All calls of a worker run in one instance, which is replaced after a call that traps, exits or exceeds a limit.
    #[default]
    Shared,
    /// Each call runs in a new instance.
    PerCall,
}

/// The options of a [`Worker`].
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct WorkerOptions {
    /// Which instance a call runs in.
    pub instance: InstanceMode,
    /// The limits of each call. Fuel and time are reset before each call; memory and table elements are those of the instance.
    pub limits: Limits,
}

/// Calls one function any number of times, on one thread. It creates and replaces instances as needed.
#[derive(Debug)]
pub struct Worker<'a> {
    code: &'a PreparedCode,
    callable: &'a Callable,
    options: WorkerOptions,
    live: Option<(CodeInstance, ResolvedCallable)>,
}

impl<'a> Worker<'a> {
    /// Creates a worker. It creates its first instance with the first call.
    #[must_use]
    pub fn new(code: &'a PreparedCode, callable: &'a Callable, options: WorkerOptions) -> Self {
        Self { code, callable, options, live: None }
    }

    /// Calls the function.
    ///
    /// # Errors
    /// Those of [`PreparedCode::instantiate`] and [`ResolvedCallable::call`]. The next call has a new instance.
    pub fn call(&mut self, args: &CallArgs) -> Result<CallResult> {
        if self.options.instance == InstanceMode::PerCall {
            let mut instance = self.code.instantiate(self.options.limits, &|_| {})?;
            return match instance.call(self.callable, args, &|_| {})? {
                Completion::Returned(result) => Ok(result),
                Completion::Exited(code) => Err(crate::Error::exited(code)),
            };
        }
        let (mut instance, mut function) = if let Some(live) = self.live.take() {
            live
        } else {
            let mut instance = self.code.instantiate(self.options.limits, &|_| {})?.into_instance();
            let function = instance.resolve(self.callable)?;
            (instance, function)
        };
        let result = function.call(&mut instance, args)?.clone();
        self.live = Some((instance, function));
        Ok(result)
    }
}
