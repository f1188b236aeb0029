//! Runs a function or a program on each variant.

use std::collections::BTreeMap;
use std::time::Instant;

use super::files::Copies;
use super::memory::Reference;
use super::{CompareOptions, Comparison, Ending, ErrorSummary, Observation, Variant, globals, verdict};
use crate::capabilities::{Captured, Input, Output};
use crate::component::host_capabilities;
use crate::component::info::CodeInfo;
use crate::error::{Error, ErrorKind, Result};
use crate::module::requirements::{self, HostCapability};
use crate::runtime::callable::{CallArgs, Callable};
use crate::runtime::code::CodeInstance;
use crate::session::{Event, InstanceOptions, PreparedCode, nanoseconds};

/// Compares calls of one function, or runs of one program, on several variants.
#[derive(Debug)]
pub struct Comparer {
    callable: Callable,
    info: CodeInfo,
    options: CompareOptions,
    may_make_nans: bool,
    /// The compiled code, or why it was refused.
    runners: Vec<(Variant, Result<PreparedCode, ErrorSummary>)>,
}

impl Comparer {
    pub(super) fn of_runners(
        callable: Callable,
        info: CodeInfo,
        options: CompareOptions,
        may_make_nans: bool,
        runners: Vec<(Variant, Result<PreparedCode, ErrorSummary>)>,
    ) -> Self {
        Self { callable, info, options, may_make_nans, runners }
    }

    /// Returns the function, which decodes its arguments.
    #[must_use]
    pub fn callable(&self) -> &Callable {
        &self.callable
    }

    /// Returns the imports, exports and other facts.
    #[must_use]
    pub fn info(&self) -> &CodeInfo {
        &self.info
    }

    /// Returns the refusal of the first variant, if all variants refuse the module, the limits or the grants.
    #[must_use]
    pub fn refusal(&self) -> Option<&ErrorSummary> {
        let mut refusals = self.runners.iter().map(|(_, runner)| runner.as_ref().err());
        let first = refusals.next()?;
        first.filter(|_| refusals.all(|refusal| refusal.is_some()))
    }

    /// Returns the options.
    #[must_use]
    pub fn options(&self) -> &CompareOptions {
        &self.options
    }

    /// Returns whether the code can read standard input.
    #[must_use]
    pub fn reads_stdin(&self) -> bool {
        reads_stdin(&self.info)
    }

    /// Sets what each run reads from standard input.
    pub fn set_stdin(&mut self, bytes: Vec<u8>) {
        self.options.capabilities.stdin = Input::Bytes(bytes);
    }

    /// Calls the function once on each variant, in a new instance, and compares what can be observed.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] if the arguments do not fit the function; [`ErrorKind::Io`] if a directory cannot be copied
    /// or read. Everything else that goes wrong is part of the comparison.
    pub fn compare(&self, args: &CallArgs) -> Result<Comparison> {
        self.compare_with_events(args, &|_| {})
    }

    /// Returns the variants that run, in order. The others refuse the code.
    pub fn running_variants(&self) -> impl Iterator<Item = Variant> {
        self.runners.iter().filter(|(_, prepared)| prepared.is_ok()).map(|(variant, _)| *variant)
    }

    /// As [`Comparer::compare`], and reports the steps of each run. A time limit does not interrupt a host function that blocks.
    ///
    /// # Errors
    /// As [`Comparer::compare`].
    pub fn compare_with_events(&self, args: &CallArgs, events: &dyn Fn(Event)) -> Result<Comparison> {
        self.compare_calls(&self.callable, args, events)
    }

    /// The same for another function of the module.
    pub(super) fn compare_calls(
        &self,
        callable: &Callable,
        args: &CallArgs,
        events: &dyn Fn(Event),
    ) -> Result<Comparison> {
        let mut reference = Reference::default();
        let runs = self.runners.iter().map(|(variant, prepared)| match prepared {
            Ok(prepared) => self.observe(*variant, prepared, callable, args, events, &mut reference),
            Err(refusal) => Ok(Observation::new(*variant, Ending::Refused(refusal.clone()))),
        });
        let runs = runs.collect::<Result<_>>()?;
        Ok(Comparison::new(callable.name().to_owned(), runs, self.may_make_nans))
    }

    /// Runs on one variant.
    fn observe(
        &self,
        variant: Variant,
        prepared: &PreparedCode,
        callable: &Callable,
        args: &CallArgs,
        events: &dyn Fn(Event),
        reference: &mut Reference,
    ) -> Result<Observation> {
        let Self { options, .. } = self;
        let captured = [0; 2].map(|_| Captured::with_max_bytes(options.max_output));
        let mut capabilities = options.capabilities.clone();
        [capabilities.stdout, capabilities.stderr] = captured.clone().map(Output::Capture);
        let copies = Copies::of(&mut capabilities)?;

        let started = Instant::now();
        let instance = prepared.instantiate_granting(&capabilities, callable, args, options.limits, events);
        let mut observed = match instance {
            Ok(mut instance) => {
                let called = instance.call(callable, args, events);
                let ending = called.map_or_else(|error| Ending::of_call(&error), Ending::from);
                let mut observed = Observation::new(variant, ending);
                observed.run_ns = nanoseconds(started.elapsed());
                observed.look_at(&mut instance.into_instance(), reference);
                observed
            }
            Err(error) if error.kind() == ErrorKind::InvalidArgument => return Err(error),
            Err(error) => Observation::new(variant, Ending::of_instantiation(&error)),
        };
        if let Ending::Failed(failure) = &observed.ending
            && failure.kind == ErrorKind::InvalidArgument
        {
            return Err(Error::new(ErrorKind::InvalidArgument, failure.message.clone()));
        }
        observed.is_truncated = captured.iter().any(|captured| captured.written() > options.max_output as u64);
        [observed.stdout, observed.stderr] = captured.map(|captured| captured.take());
        observed.files = copies.contents()?;
        Ok(observed)
    }
}

/// Returns whether code can read standard input.
pub(super) fn reads_stdin(info: &CodeInfo) -> bool {
    match info {
        CodeInfo::Module(info) => requirements::imports_wasi(info),
        CodeInfo::Component(info) => host_capabilities(info).contains(&HostCapability::Streams),
    }
}

impl Observation {
    fn new(variant: Variant, ending: Ending) -> Self {
        Self {
            variant,
            ending,
            stdout: Vec::new(),
            stderr: Vec::new(),
            fuel_used: None,
            globals: BTreeMap::new(),
            memories: BTreeMap::new(),
            memory_peak_bytes: None,
            denied: None,
            files: BTreeMap::new(),
            is_truncated: false,
            run_ns: 0,
        }
    }

    /// Looks at an instance after its call.
    fn look_at(&mut self, instance: &mut CodeInstance, reference: &mut Reference) {
        self.fuel_used = instance.fuel_used();
        self.memory_peak_bytes = Some(instance.memory_peak_bytes());
        if let CodeInstance::Module(instance) = instance {
            self.denied = instance.denied_growth();
            self.globals = globals::read(instance.as_mut());
            if verdict::reason(&self.ending).is_none() {
                self.memories = reference.read(instance.as_mut());
            }
        }
    }
}

impl CompareOptions {
    pub(super) fn config(&self, variant: Variant) -> crate::RuntimeConfig {
        let mut config = variant.config();
        config.max_stack = self.max_stack;
        config.interruption = self.limits.time.is_some();
        config
    }

    pub(crate) fn instances(&self) -> InstanceOptions {
        let options = InstanceOptions::default().with_limits(self.limits);
        options.with_capabilities(self.capabilities.clone()).with_plugin(self.plugin.clone())
    }
}
