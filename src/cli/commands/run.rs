//! `wrun MODULE [FUNCTION] [ARGS]...`

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use wrun::module::requirements;
use wrun::runtime::{grants, preflight, signature};
use wrun::session::{CacheUse, Completion, Deadline, Event, InstanceOptions, Session, nanoseconds};
use wrun::{Cache, Error, ErrorKind, Input, ModuleInfo, ValType, Value};

use crate::cli::args::{OutputFormat, RunArgs};
use crate::cli::failure::{self, Failure};
use crate::cli::input::Module;
use crate::cli::output::envelope::{Call, Envelope};
use crate::cli::output::explain::Explanation;
use crate::cli::output::progress::Progress;
use crate::cli::output::{human, machine};
use crate::cli::settings::{Arguments, RunSettings};
use crate::cli::supervisor::{self, Ending, Supervisor};
use crate::cli::{exit_code, input, printer};

/// The export a program starts at.
const START: &str = "_start";

/// The export that instantiation calls, unless it is the function to call.
const INITIALIZE: &str = "_initialize";

/// Calls a function, or runs a program, and prints what came of it.
pub(crate) fn main(args: RunArgs) -> Result<u8, Failure> {
    let explains = args.grants.explain;
    let settings = RunSettings::resolve(args)?;
    if explains {
        return explain(&settings);
    }
    let run = Arc::new(Run::new(settings));
    let supervisor = run.supervisor()?;
    let result = failure::guard(|| run.steps());
    if let Some(supervisor) = supervisor {
        supervisor.disarm();
    }
    run.progress.end();
    if result.as_ref().is_err_and(|failure| failure.exit_code == exit_code::TIMEOUT) {
        supervisor::exit_soon();
    }
    run.report(result)
}

/// Tells what would be in force, once it is known that it could be.
fn explain(settings: &RunSettings) -> Result<u8, Failure> {
    preflight::check_config(&settings.config)?;
    preflight::check_amounts(&settings.config, settings.limits)?;
    grants::check(settings.config.kind, &settings.capabilities)?;
    settings.caching.check_grants(&settings.capabilities)?;
    let cache = settings.caching.in_force()?;
    let explanation = Explanation::of(settings, &cache);
    printer::data(&match settings.output {
        OutputFormat::Text => explanation.text().into_bytes(),
        _ => encode(&explanation, settings),
    })?;
    Ok(0)
}

/// A run, and what is known of it so far: also for the guard, which reports in its place where it has to be ended.
struct Run {
    settings: RunSettings,
    started: Instant,
    call: Mutex<Call>,
    progress: Progress,
}

impl Run {
    fn new(settings: RunSettings) -> Self {
        let progress = Progress::new(settings.progress, settings.quiet);
        Self { settings, started: Instant::now(), call: Mutex::default(), progress }
    }

    fn call(&self) -> MutexGuard<'_, Call> {
        self.call.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where a report or a tidy terminal is owed, somebody stays to see to it.
    fn supervisor(self: &Arc<Self>) -> Result<Option<Supervisor>, Failure> {
        let RunSettings { limits, metrics, .. } = self.settings;
        if limits.time.is_none() && !metrics && !self.progress.may_draw() {
            Supervisor::without_report();
            return Ok(None);
        }
        let (run, watched) = (Arc::clone(self), Arc::clone(self));
        let guest_runs = move || watched.call().guest_runs;
        Supervisor::set(self.started, limits.time, guest_runs, move |ending| run.end(ending)).map(Some)
    }

    /// Reports and ends the process, since the main thread cannot be made to return from where it is.
    fn end(&self, ending: Ending) {
        let phase = self.call().phase;
        let failure = Failure::ended(ending, phase, self.settings.limits.time, self.started.elapsed());
        self.progress.end();
        // Whoever ended it knows.
        let silent = ending != Ending::TimedOut && !self.settings.metrics;
        let code = if silent { failure.exit_code } else { self.conclude(Err(failure)) };
        std::process::exit(code.into());
    }

    /// Reports, and says on standard error what failed where the report does not.
    fn conclude(&self, result: Result<Completion, Failure>) -> u8 {
        self.report(result).unwrap_or_else(|failure| {
            printer::failure(&failure, self.settings.quiet);
            failure.exit_code
        })
    }

    fn report(&self, result: Result<Completion, Failure>) -> Result<u8, Failure> {
        let Self { settings, started, .. } = self;
        let mut call = self.call();
        call.metrics.total_ns = Some(nanoseconds(*started));
        if settings.metrics {
            let envelope = Envelope::new(settings, &call, &result);
            printer::data(&encode(&envelope, settings))?;
            return Ok(envelope.exit_code());
        }
        match result? {
            Completion::Exited(code) => {
                let status = exit_code::of_guest(code);
                if i32::from(status) != code {
                    printer::note(&format!("the guest exited with {code}"), settings.quiet);
                }
                Ok(status)
            }
            // What a program has to say it wrote itself.
            Completion::Returned(_) if settings.function.is_none() => Ok(0),
            Completion::Returned(values) => {
                let shown = match settings.output {
                    OutputFormat::Text => human::values(&values).into_bytes(),
                    _ => encode(&wrun::value::serial::Results(&values), settings),
                };
                printer::data(&shown)?;
                Ok(0)
            }
        }
    }

    fn open<'m>(&self, module: &'m Module, cache: Option<Cache>) -> Result<Session<'m>, Failure> {
        let RunSettings { module: path, config, .. } = &self.settings;
        let Some(cache) = cache else { return module.open(path, config, None) };
        // What fails now was not found.
        self.call().metrics.cache = CacheUse::Miss;
        let labelled = input::label(path).into_iter().fold(cache, Cache::with_label);
        module.open(path, config, Some(&labelled))
    }

    fn steps(&self) -> Result<Completion, Failure> {
        let Self { settings, started, .. } = self;
        let cache = settings.caching.open()?;
        settings.caching.check_grants(&settings.capabilities)?;
        let module = input::module(&settings.module)?;
        let opened = self.open(&module, cache);
        self.call().metrics.load_ns = Some(nanoseconds(*started));
        let session = opened?;
        self.call().metrics.cache = session.cache();
        let function = choose(session.info(), settings)?;
        if settings.guest_args > 0 && !requirements::imports_wasi(session.info()) {
            let failure =
                Failure::usage("arguments after `--` are for a guest that imports WASI, and this one does not");
            return Err(failure.hint("arguments of a function need no `--`, not even negative numbers"));
        }
        self.call().function = Some(function.to_owned());
        let ty = signature::find_function(session.info(), function)?;
        signature::check_passable(function, ty)?;
        self.call().result_types = ty.results().iter().map(ValType::to_string).collect();
        self.call().phase = "reading the arguments";
        let args = arguments(settings, function, ty)?;
        self.call().phase = "loading its code";

        let mut capabilities = settings.capabilities.clone();
        if input::is_spent(&settings.module, &settings.args, ty) {
            capabilities.stdin = Input::Empty;
        }
        let mut options = InstanceOptions::default().with_limits(settings.limits).with_capabilities(capabilities);
        options.initialize = function != INITIALIZE;
        options.caller_ends_process = true;
        let deadline = Deadline::new(*started, settings.limits.time);
        self.call_function(session, options, deadline, function, &args)
            .or_else(|error| Ok(Completion::from_error(deadline.explain(error))?))
    }

    /// Compiles or loads the module, makes one instance and calls one function of it.
    fn call_function(
        &self,
        session: Session<'_>,
        options: InstanceOptions,
        deadline: Deadline,
        function: &str,
        args: &[Value],
    ) -> wrun::Result<Completion> {
        let events = |event: Event| {
            self.call().note(event);
            self.progress.show(event);
        };
        let mut limits = options.limits;
        deadline.remaining()?;
        let prepared = session.prepare(options, &events)?;
        limits.time = deadline.remaining()?;
        let mut instance = prepared.instantiate(limits, &events)?;
        let completion = instance.call(function, args, &events);
        // The process ends soon and frees everything faster. But threads of the guest must have ended before the result is
        // printed, so that they print nothing after it.
        if !requirements::starts_threads(prepared.info()) {
            std::mem::forget((instance, prepared));
        }
        completion
    }
}

/// The function to call: the one named, else `_start` of a program.
fn choose<'s>(info: &ModuleInfo, settings: &'s RunSettings) -> Result<&'s str, Failure> {
    if let Some(name) = &settings.function {
        return Ok(name);
    }
    if info.function(START).is_some_and(|ty| ty.params().is_empty() && ty.results().is_empty()) {
        return Ok(START);
    }
    let message = "no function was named, and the module is no program (it exports no `_start` of type () -> ())";
    let error = Error::new(ErrorKind::UnknownExport, message);
    Err(error.with_hint(signature::list_of_functions(info)).into())
}

/// The arguments; a failure shows the signature they were held against.
fn arguments(settings: &RunSettings, function: &str, ty: &wrun::FuncType) -> Result<Vec<Value>, Failure> {
    if reads_stdin_twice(&settings.args, &settings.module, ty) {
        return Err(Failure::both_from_stdin());
    }
    input::arguments(&settings.args, ty).map_err(|failure| failure.hint(format!("signature: {function}{ty}")))
}

/// Whether the arguments would have to come from where the module came from.
fn reads_stdin_twice(args: &Arguments, module: &Path, ty: &wrun::FuncType) -> bool {
    matches!(args, Arguments::Unsaid(_)) && !ty.params().is_empty() && input::is_stdin(module)
}

fn encode<T: serde::Serialize>(value: &T, settings: &RunSettings) -> Vec<u8> {
    machine::encode(value, settings.output, settings.pretty)
}
