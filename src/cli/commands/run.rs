//! `wrun MODULE [FUNCTION] [ARGS]...`

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use clap::{Args, ValueHint};
use wrun::module::requirements;
use wrun::session::{CacheUse, Completion, Deadline, Event, InstanceOptions, Session, nanoseconds};
use wrun::{CallArgs, CallResult, Callable, Captured, CodeInfo, Input, Output};

use super::words;
use crate::cli::args::{
    CacheArgs, FORMAT_HEADING, FormatArgs, GuestArgs, LogArgs, OutputFormat, ProgressArgs, ReportArgs, ResultFormat,
    TextArgs, When,
};
use crate::cli::failure::Failure;
use crate::cli::output::envelope::{CallSummary, Envelope};
use crate::cli::output::explain::Explanation;
use crate::cli::output::progress::Progress;
use crate::cli::output::{machine, printer};
use crate::cli::parse_values::parse_size;
use crate::cli::policy::Policy;
use crate::cli::settings::{Arguments, GuestSettings, RunSettings, check_payload};
use crate::cli::supervisor::{Phase, Supervisor, SupervisorOptions};
use crate::cli::{abort, argv, exit_code, hints, input, stdin};

#[derive(Args, Debug, Default)]
pub(crate) struct RunArgs {
    /// Module or component, binary or text, or `-` for standard input
    #[arg(required = true, allow_negative_numbers = true, value_hint = ValueHint::FilePath, value_parser = argv::path())]
    pub(crate) module: Option<PathBuf>,
    /// Exported function to call; without it, the program runs
    #[arg(allow_negative_numbers = true, value_hint = ValueHint::Other, value_parser = argv::text())]
    pub(crate) function: Option<String>,
    /// Exported function to call, if its name looks like an option, as in `--function=-x`; all words after MODULE are then ARGS
    #[arg(long = "function", value_name = "NAME", allow_hyphen_values = true, value_parser = argv::text())]
    pub(crate) function_name: Option<String>,
    /// Arguments of the function, such as `5 -1.5e3 -inf 0xff`; `-` reads them from standard input
    #[arg(allow_negative_numbers = true, value_hint = ValueHint::Other, value_parser = argv::text())]
    pub(crate) args: Vec<String>,
    /// Arguments of the program
    #[arg(last = true, value_hint = ValueHint::FilePath, value_parser = argv::text())]
    pub(crate) guest_args: Vec<String>,

    #[command(flatten)]
    pub(crate) guest: GuestArgs,
    #[command(flatten)]
    pub(crate) format: FormatArgs,
    /// Print the envelope (result or error, exit code, times, memory) instead of the bare result
    #[arg(long, help_heading = FORMAT_HEADING)]
    pub(crate) metrics: bool,
    /// Include the guest's standard output and error in the envelope, up to SIZE each [default size: 64MiB]
    #[arg(long, value_name = "SIZE", num_args = 0..=1, require_equals = true, default_missing_value = "64MiB", value_parser = argv::text_for(parse_size), requires = "metrics", help_heading = FORMAT_HEADING)]
    pub(crate) capture: Option<u64>,
    /// Print the engine, limits and grants in force, and where each comes from; run nothing
    #[arg(long, conflicts_with = "metrics", help_heading = FORMAT_HEADING)]
    pub(crate) explain: bool,
    #[command(flatten)]
    pub(crate) text: TextArgs,
    #[command(flatten)]
    pub(crate) cache: CacheArgs,
    #[command(flatten)]
    pub(crate) progress: ProgressArgs,
    #[command(flatten)]
    pub(crate) log: LogArgs,
}

impl RunArgs {
    /// Resolves the settings. Fails if options contradict each other, the policy file or the environment.
    fn resolve(self, started: Instant) -> Result<RunSettings, Failure> {
        if self.metrics
            && let Some(format @ (ResultFormat::Text | ResultFormat::Raw)) = self.format.output
        {
            let format = if format == ResultFormat::Text { "text" } else { "raw bytes" };
            return Err(Failure::usage(format!("the envelope (`--metrics`) is JSON or MessagePack, not {format}")));
        }
        let policy = self.read_policy(started)?;
        let function_is_option = self.function_name.is_some();
        let (function, args) = words::function_and_args(self.function_name, self.function, self.args);
        let args = words::arguments(args, self.format.input);
        let module = self.module.unwrap_or_default();
        let module_is_stdin = input::is_stdin(&module);
        if module_is_stdin && matches!(args, Arguments::Stdin(_)) {
            return Err(Failure::both_from_stdin());
        }
        let captured = self.capture.map(|size| {
            let max_bytes = usize::try_from(size).unwrap_or(usize::MAX);
            [Captured::with_max_bytes(max_bytes), Captured::with_max_bytes(max_bytes)]
        });
        let [stdout, stderr] = match &captured {
            Some(captured) => captured.clone().map(Output::Capture),
            None => [Output::Inherit, Output::Inherit],
        };
        let (guest_args, quiet) = (self.guest_args, self.log.quiet);
        let mut guest = GuestSettings::resolve(module, function, guest_args, policy, &self.guest, &self.cache, quiet)?;
        guest.function_is_option = function_is_option;
        (guest.capabilities.stdin, guest.capabilities.stdout, guest.capabilities.stderr) =
            (Input::Inherit, stdout, stderr);
        let default = if self.explain { OutputFormat::Text } else { OutputFormat::Json };
        let output = self.format.output.map_or(default, ResultFormat::of_report);
        Ok(RunSettings {
            guest,
            module_is_stdin,
            args,
            captured,
            format: ReportArgs { output, pretty: self.format.pretty },
            raw: self.format.output == Some(ResultFormat::Raw),
            text: self.text.options(),
            metrics: self.metrics,
            progress: self.progress.progress,
        })
    }

    /// Reads the policy file within the timeout on the command line, since the file can be a pipe that stays empty.
    fn read_policy(&self, started: Instant) -> Result<Policy, Failure> {
        let Some(policy) = &self.guest.policy.policy else { return Ok(Policy::default()) };
        if self.module.as_deref().is_some_and(input::is_stdin) && stdin::is_named_by(policy) {
            return Err(Failure::usage("the module and the policy cannot both come from standard input")
                .hint("give one of them as a file"));
        }
        let quiet = self.log.quiet;
        let report = Box::new(move |failure: Failure| printer::failure(&failure, quiet));
        let (progress, timeout) = (Progress::new(When::Never, quiet), self.guest.limits.timeout);
        let options = SupervisorOptions { started, timeout, report, ..SupervisorOptions::new(progress) };
        Supervisor::run(options, |supervisor| {
            supervisor.enter(Phase::ReadingPolicy);
            Policy::read(&self.guest.policy)
        })
    }
}

/// The export that instantiation calls, unless it is the function to call.
const INITIALIZE: &str = "_initialize";

/// Calls a function or runs a program, and prints the result.
pub(crate) fn main(args: RunArgs) -> Result<u8, Failure> {
    let (started, explain_only) = (Instant::now(), args.explain);
    let settings = args.resolve(started)?;
    if explain_only {
        return explain(&settings).map_err(|failure| hints::for_grant(failure, &settings.guest.grants));
    }
    if settings.metrics {
        let aborted = Err(Failure::new("io", exit_code::INTERNAL, abort::MESSAGE.to_owned()));
        let summary = CallSummary::default();
        let envelope = Envelope::new(&settings, &summary, &aborted);
        abort::set_envelope(machine::encode(&envelope, settings.format), settings.format.output);
    }
    let run = Arc::new(Run { settings, started, call: Mutex::default() });
    let result = Supervisor::run(run.supervisor_options(), |supervisor| run.steps(supervisor));
    run.report(result.map_err(|failure| hints::for_grant(failure, &run.settings.guest.grants)))
}

/// Prints the settings, after checking that the engine can enforce them.
fn explain(settings: &RunSettings) -> Result<u8, Failure> {
    settings.guest.check()?;
    let explanation = Explanation::new(&settings.guest, settings.guest.cache.usable_dir()?);
    printer::data(&machine::report(&explanation, settings.format, Explanation::text))?;
    Ok(0)
}

/// A run and its state so far, which the supervisor reports if it ends the process.
struct Run {
    settings: RunSettings,
    started: Instant,
    call: Mutex<CallSummary>,
}

impl Run {
    fn call(&self) -> MutexGuard<'_, CallSummary> {
        self.call.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn supervisor_options(self: &Arc<Self>) -> SupervisorOptions {
        let (run, settings) = (Arc::clone(self), &self.settings);
        let report = move |failure: Failure| {
            run.report(Err(failure)).unwrap_or_else(|failure| printer::failure(&failure, run.settings.guest.quiet))
        };
        SupervisorOptions {
            progress: Progress::new(settings.progress, settings.guest.quiet),
            started: self.started,
            timeout: settings.guest.limits.timeout.value,
            report_signals: settings.metrics,
            report: Box::new(report),
            stop: None,
            quiet: settings.guest.quiet,
        }
    }

    fn report(&self, result: Result<Completion, Failure>) -> Result<u8, Failure> {
        let Self { settings, started, .. } = self;
        let mut call = self.call();
        call.metrics.total_ns = Some(nanoseconds(started.elapsed()));
        if settings.metrics {
            let envelope = Envelope::new(settings, &call, &result);
            let encoded = machine::encode(&envelope, settings.format);
            abort::clear_envelope();
            printer::result(&encoded, settings.format.output)?;
            for note in envelope.notes() {
                printer::note(&note, settings.guest.quiet);
            }
            return Ok(envelope.exit_code);
        }
        match result? {
            Completion::Exited(code) => {
                if exit_code::guests_own(code).is_none() {
                    printer::note(&format!("the guest exited with {code}"), settings.guest.quiet);
                }
                Ok(exit_code::of_guest(code))
            }
            // A program writes its own output.
            Completion::Returned(_) if call.is_program => Ok(0),
            Completion::Returned(result) if settings.raw => {
                printer::data(result.bytes().unwrap_or_default())?;
                Ok(0)
            }
            Completion::Returned(result) => {
                let text = |result: &CallResult| format!("{}\n", result.to_text());
                let bytes = machine::report(&result, settings.format, text);
                printer::result(&bytes, settings.format.output)?;
                Ok(exit_code::of_result(&result))
            }
        }
    }

    fn steps(&self, supervisor: &Supervisor) -> Result<Completion, Failure> {
        let Self { settings, started, .. } = self;
        let cache = settings.guest.cache.open()?;
        let module = input::module(&settings.guest.module, settings.module_is_stdin, settings.guest.quiet)
            .map_err(|failure| {
                hints::for_module(failure, None, &settings.guest.module, settings.guest.function.as_deref())
            })
            .map_err(|failure| hints::for_optional_value(failure, settings))?;
        // After the module is read, since this may drop the capability that reading it needs.
        settings.guest.cache.check_grants(&settings.guest.capabilities, settings.guest.quiet)?;
        if cache.is_some() {
            // The value for the envelope if opening fails.
            self.call().metrics.cache = CacheUse::Miss;
        }
        let opened = module.open(&settings.guest.module, &settings.guest.config, cache);
        self.call().metrics.load_ns = Some(nanoseconds(started.elapsed()));
        let session = opened?;
        self.call().metrics.cache = session.cache();
        settings.guest.plugin.check(session.info())?;
        let callable = self.choose(&session)?;
        self.call().result_types = callable.result_types();
        supervisor.enter(Phase::ReadingArguments);
        // The module has used up standard input, even if the arguments are not expected there on a terminal.
        if matches!(settings.args, Arguments::Omitted(_)) && callable.param_count() > 0 && settings.module_is_stdin {
            return Err(Failure::both_from_stdin());
        }
        let args = input::arguments(&settings.args, &callable, settings.guest.quiet);
        let args = args.map_err(|failure| {
            hints::for_arguments(failure, session.info(), &callable, &settings.guest, &settings.args)
        })?;
        supervisor.enter(Phase::LoadingCode);

        let mut capabilities = settings.guest.capabilities.clone();
        let policy_is_stdin = settings.guest.policy.path.as_deref().is_some_and(stdin::is_named_by);
        if settings.module_is_stdin || policy_is_stdin || input::are_on_stdin(&settings.args, &callable) {
            // Even if a terminal or a growing file could give more.
            capabilities.stdin = Input::Empty;
        }
        let limits = settings.guest.limits.limits();
        let mut options = InstanceOptions::default().with_limits(limits).with_capabilities(capabilities);
        options.plugin = settings.guest.plugin.options();
        options.caller_ends_process = true;
        let deadline = Deadline::new(*started, settings.guest.limits.timeout.value);
        self.call_function(supervisor, session, options, deadline, &callable, &args)
    }

    /// Returns the function to call: the one on the command line, else what runs the program.
    fn choose(&self, session: &Session<'_>) -> Result<Callable, Failure> {
        let settings = &self.settings;
        let hinted =
            |error: wrun::Error| hints::for_function(error.into(), session.info(), &settings.guest, &settings.args);
        let find = || Callable::find_with(session.info(), settings.guest.function.as_deref(), &settings.text);
        let callable = match &settings.guest.function {
            None => {
                let program = find().map_err(hinted)?;
                self.check_guest_args(session.info())?;
                program
            }
            Some(name) => {
                self.check_guest_args(session.info())?;
                self.call().function = Some(name.clone());
                find().map_err(hinted)?
            }
        };
        let mut call = self.call();
        call.function = Some(callable.name().to_owned());
        call.is_program = settings.guest.function.is_none() && callable.text().is_none();
        if settings.raw && !callable.returns_bytes() && !call.is_program {
            let message = format!("`-o raw` writes text or bytes, which `{callable}` does not return");
            return Err(Failure::usage(message));
        }
        check_payload(&settings.text, &callable)?;
        Ok(callable)
    }

    /// Refuses arguments after `--` if the guest could not read them.
    fn check_guest_args(&self, info: &CodeInfo) -> Result<(), Failure> {
        self.settings.guest.check_args(info).map_err(|failure| {
            failure.hint(match info {
                CodeInfo::Module(_) => "arguments of a function need no `--`, not even negative numbers",
                CodeInfo::Component(_) => {
                    "arguments of a function go before `--`; text that starts with `-` comes from standard input: \
                     `echo '[\"-x\"]' | wrun MODULE FUNCTION`"
                }
            })
        })
    }

    /// Compiles or loads the code, makes one instance and calls one function of it.
    fn call_function(
        &self,
        supervisor: &Supervisor,
        session: Session<'_>,
        options: InstanceOptions,
        deadline: Deadline,
        callable: &Callable,
        args: &CallArgs,
    ) -> Result<Completion, Failure> {
        let events = |event: Event| {
            supervisor.observe(event);
            let mut call = self.call();
            call.metrics = call.metrics.with(event);
            match event {
                Event::Initializing => call.running = Some(INITIALIZE.to_owned()),
                Event::Calling => call.running = Some(callable.name().to_owned()),
                _ => {}
            }
        };
        let ended = |error| Ok(Completion::from_error(deadline.explain(error))?);
        let mut limits = options.limits;
        deadline.remaining().map_err(|_| supervisor.timed_out())?;
        let prepared = session.prepare(options, &events)?;
        limits.time = deadline.remaining().map_err(|_| supervisor.timed_out())?;
        let mut instance = match prepared.instantiate_for(callable, args, limits, &events) {
            Ok(instance) => instance,
            Err(error) => return ended(error),
        };
        let completion = instance.call(callable, args, &events);
        // The process ends soon and frees everything faster. But threads of the guest must have ended before the result is
        // printed, so that they print nothing after it.
        let starts_threads = prepared.info().module().is_ok_and(|info| requirements::starts_threads(info));
        if !starts_threads {
            std::mem::forget((instance, prepared));
        }
        completion.or_else(ended)
    }
}
