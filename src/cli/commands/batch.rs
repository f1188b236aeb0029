//! `wrun batch MODULE [FUNCTION]`

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use clap::{Args, ValueHint};
use wrun::batch::{self, BatchCounters, BatchOptions, BatchOutcome, BatchOutput, BatchReport, Stop, Streams};
use wrun::escape::EscapedPath;
use wrun::session::{CacheUse, InstanceOptions, Session, nanoseconds};
use wrun::stdio::Blocking;
use wrun::{Callable, CodeInfo, Output};

use crate::cli::args::{CacheArgs, CallArgs, GuestArgs, LogArgs, ProgressArgs, RecordArgs, TextArgs, When, limit_each};
use crate::cli::batch_settings::BatchSettings;
use crate::cli::failure::Failure;
use crate::cli::output::batch_envelope::BatchEnvelope;
use crate::cli::output::envelope::CallSummary;
use crate::cli::output::explain::Explanation;
use crate::cli::output::progress::Progress;
use crate::cli::output::{machine, printer, records};
use crate::cli::policy::Policy;
use crate::cli::records::{Records, Waker};
use crate::cli::settings::{GuestSettings, check_payload};
use crate::cli::supervisor::{self, Phase, Supervisor, SupervisorOptions};
use crate::cli::{argv, exit_code, hints, input, signals, stdin, written_files};

#[derive(Args, Debug)]
#[command(mut_args(|arg| limit_each("call", arg)))]
#[command(
    after_help = "Exit codes: 0 all records succeeded; 123 some failed; 125 wrun itself failed; others as for a call."
)]
pub(crate) struct BatchArgs {
    /// Module or component, binary or text
    #[arg(allow_negative_numbers = true, value_hint = ValueHint::FilePath, value_parser = argv::path())]
    module: PathBuf,
    /// Exported function to call with each record; without it, records are operations on one instance, or with `--abi stdio` inputs of the program
    #[arg(allow_negative_numbers = true, value_hint = ValueHint::Other, value_parser = argv::text())]
    function: Option<String>,
    /// Exported function to call, if its name looks like an option
    #[arg(long = "function", value_name = "NAME", allow_hyphen_values = true, conflicts_with = "function", value_parser = argv::text())]
    function_name: Option<String>,
    /// Arguments of the program
    #[arg(last = true, value_hint = ValueHint::FilePath, value_parser = argv::text())]
    guest_args: Vec<String>,

    #[command(flatten)]
    calls: CallArgs,
    #[command(flatten)]
    records: RecordArgs,
    #[command(flatten)]
    text: TextArgs,
    #[command(flatten)]
    guest: GuestArgs,
    #[command(flatten)]
    cache: CacheArgs,
    #[command(flatten)]
    progress: ProgressArgs,
    #[command(flatten)]
    pub(crate) log: LogArgs,
}

impl BatchArgs {
    /// Resolves the settings. Fails if options contradict each other, the policy file or the environment.
    fn resolve(self) -> Result<BatchSettings, Failure> {
        let from_stdin = |what: &str| {
            Failure::usage(format!("{what} and the records cannot both come from standard input"))
                .hint(format!("give {what} as a file"))
        };
        if input::is_stdin(&self.module) {
            return Err(from_stdin("the module"));
        }
        if self.guest.policy.policy.as_deref().is_some_and(|path| path.as_os_str() == "-" || stdin::is_named_by(path)) {
            return Err(from_stdin("the policy"));
        }
        let policy = Policy::read(&self.guest.policy)?;
        let (function, args, quiet) = (self.function_name.or(self.function), self.guest_args, self.log.quiet);
        let mut guest = GuestSettings::resolve(self.module, function, args, policy, &self.guest, &self.cache, quiet)?;
        // Standard output has the results only.
        (guest.capabilities.stdout, guest.capabilities.stderr) = (Output::Stderr, Output::Inherit);
        Ok(BatchSettings::resolve(guest, self.text.options(), self.records, self.calls))
    }
}

/// Calls a function with each record of standard input.
pub(crate) fn main(args: BatchArgs) -> Result<u8, Failure> {
    let (started, explain_only, progress) = (Instant::now(), args.records.explain, args.progress.progress);
    let settings = args.resolve()?;
    if explain_only {
        return explain(&settings).map_err(|failure| hints::for_grant(failure, &settings.guest.grants));
    }
    let [errors, metrics] = create_files(&settings)?;
    let no_socket = |error| Failure::io("cannot read standard input", &error);
    let (records, waker) = Records::new().map_err(no_socket)?;
    let batch = Batch { settings, started, records, metrics, call: Mutex::default(), counters: Arc::default() };
    let batch = Arc::new(batch);
    let waker = Arc::new(waker);
    let stop = Arc::new(Stop::with_waker({
        let waker: Arc<Waker> = Arc::clone(&waker);
        move || waker.wake()
    }));
    let options = batch.supervisor_options(progress, &stop);
    let result = Supervisor::run(options, |supervisor| batch.steps(supervisor, &stop, errors));
    Ok(batch.finish(result.map_err(|failure| hints::for_grant(failure, &batch.settings.guest.grants))))
}

/// Prints the settings, after checking that the engine can enforce them.
fn explain(settings: &BatchSettings) -> Result<u8, Failure> {
    settings.guest.check()?;
    let explanation = Explanation::of_batch(settings, settings.guest.cache.usable_dir()?);
    printer::data(&machine::report(&explanation, settings.explanation_format(), Explanation::text))?;
    Ok(0)
}

/// Creates the files for errors and metrics before anything runs. Refuses to replace a module or a file that the batch reads.
fn create_files(settings: &BatchSettings) -> Result<[Option<File>; 2], Failure> {
    let guest = &settings.guest;
    let reads = [("the module", Some(guest.module.as_path())), ("the policy", guest.policy.path.as_deref())];
    for (option, path) in [("--errors", &settings.errors), ("--metrics", &settings.metrics)] {
        path.iter().try_for_each(|path| written_files::check(option, path, &reads))?;
    }
    let create = |path: &Option<PathBuf>| -> Result<_, Failure> {
        let Some(path) = path else { return Ok(None) };
        let file =
            File::create(path).map_err(|error| Failure::io(&format!("cannot create {}", EscapedPath(path)), &error))?;
        let identity = written_files::identity(file.metadata().ok());
        Ok(Some((file, identity)))
    };
    let files = [create(&settings.errors)?, create(&settings.metrics)?];
    if let [Some((_, Some(errors))), Some((_, Some(metrics)))] = &files
        && errors == metrics
    {
        return Err(Failure::usage("`--errors` and `--metrics` name the same file"));
    }
    Ok(files.map(|file| file.map(|(file, _)| file)))
}

/// A batch and its state so far.
struct Batch {
    settings: BatchSettings,
    started: Instant,
    records: Records,
    metrics: Option<File>,
    call: Mutex<CallSummary>,
    counters: Arc<BatchCounters>,
}

impl Batch {
    fn call(&self) -> MutexGuard<'_, CallSummary> {
        self.call.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn supervisor_options(self: &Arc<Self>, progress: When, stop: &Arc<Stop>) -> SupervisorOptions {
        let (batch, stop) = (Arc::clone(self), Arc::clone(stop));
        let report = move |failure: Failure| {
            // The process ends by the signal, whether or not this succeeds.
            let _ = batch.write_metrics(Some(&failure), None, failure.exit_code, None);
            failure.exit_code
        };
        SupervisorOptions {
            started: self.started,
            report_signals: self.settings.metrics.is_some(),
            report: Box::new(report),
            stop: Some(Box::new(move || stop.request())),
            quiet: self.settings.guest.quiet,
            ..SupervisorOptions::new(Progress::new(progress, self.settings.guest.quiet))
        }
    }

    fn steps(&self, supervisor: &Supervisor, stop: &Stop, errors: Option<File>) -> Result<BatchReport, Failure> {
        let Self { settings, started, records, counters, .. } = self;
        let guest = &settings.guest;
        let cache = guest.cache.open()?;
        let module = input::module(&guest.module, false, guest.quiet)
            .map_err(|failure| hints::for_module(failure, Some("batch"), &guest.module, guest.function.as_deref()))?;
        // After the module is read, since this may drop the capability that reading it needs.
        guest.cache.check_grants(&guest.capabilities, guest.quiet)?;
        if cache.is_some() {
            // The value for the metrics if opening fails.
            self.call().metrics.cache = CacheUse::Miss;
        }
        let opened = module.open(&guest.module, &settings.config(), cache);
        self.call().metrics.load_ns = Some(nanoseconds(started.elapsed()));
        let session = opened?;
        self.call().metrics.cache = session.cache();
        let options = settings.options();
        let callable = self.choose(&session, &options)?;
        supervisor.enter(Phase::LoadingCode);

        let mut instances =
            InstanceOptions::default().with_limits(guest.limits.limits()).with_capabilities(guest.capabilities.clone());
        instances.plugin = guest.plugin.options();
        let prepared = session.prepare(instances, &|event| {
            supervisor.observe(event);
            let mut call = self.call();
            call.metrics = call.metrics.with(event);
        })?;

        if io::stdin().is_terminal() && io::stderr().is_terminal() {
            printer::note("reading records from standard input", guest.quiet);
        }
        supervisor.enter(Phase::ProcessingRecords);
        let is_terminal = io::stdout().is_terminal();
        let has_lines = matches!(options.output, BatchOutput::Json | BatchOutput::Text | BatchOutput::Csv);
        // On the terminal of other results, progress would clear the bytes after the last newline.
        if has_lines || !is_terminal {
            supervisor.count_records(counters);
        }
        let (mut input, mut errors) = (records.reader(stop), errors);
        let mut output = Blocking(io::stdout());
        let mut streams = Streams::new(&mut input, &mut output, counters, stop);
        streams.errors = errors.as_mut().map(|file| file as &mut dyn Write);
        let mut end_process = |record: Option<u64>, error: wrun::Error| {
            let failure = match record {
                Some(record) => Failure { exit_code: exit_code::TIMEOUT, ..self.of_record(record, error) },
                None => Failure::from(error),
            };
            supervisor.end_process(|| self.end(Some(failure), record, self.counters.report()))
        };
        streams.on_stuck_call = Some(&mut end_process);
        if let Some(callable) = callable {
            return Ok(batch::run(&prepared, &callable, &options, streams)?);
        }
        let report = batch::run_driven(&prepared, &options, streams)?;
        self.note_missing_function(&report, &prepared.info());
        Ok(report)
    }

    /// Notes that a function is missing if no record was an operation.
    fn note_missing_function(&self, report: &BatchReport, info: &CodeInfo) {
        if report.records == 0 || report.errors.get("invalid_argument") != Some(&report.records) {
            return;
        }
        let mut note = "without FUNCTION, each record is an operation on one instance; `wrun batch MODULE FUNCTION` \
                        calls a function"
            .to_owned();
        let functions = Callable::program(info).err();
        functions.iter().flat_map(|error| error.hints().iter().take(1)).for_each(|list| note += &format!("\n{list}"));
        printer::note(&note, self.settings.guest.quiet);
    }

    /// Returns the function to call, after checking everything that can be checked before the code is compiled. `None` if records
    /// are operations on one instance.
    fn choose(&self, session: &Session<'_>, options: &BatchOptions) -> Result<Option<Callable>, Failure> {
        let (guest, info) = (&self.settings.guest, session.info());
        guest.plugin.check(info)?;
        guest.check_args(info).map_err(|failure| failure.hint("the arguments of a function are in the records"))?;
        self.call().function.clone_from(&guest.function);
        if guest.function.is_none() && self.settings.text.abi.is_none() {
            options.check_driven()?;
            return Ok(None);
        }
        let callable = Callable::find_with(info, guest.function.as_deref(), &self.settings.text)
            .map_err(|error| hints::for_function_of_records(error.into(), info, guest))?;
        self.call().function = Some(callable.name().to_owned());
        self.call().signature = Some(callable.to_string());
        check_payload(&self.settings.text, &callable)?;
        options.check(&callable)?;
        Ok(Some(callable))
    }

    /// Reports the end of the batch, and returns the exit code. Ends the process if a signal stopped the batch.
    fn finish(&self, result: Result<BatchReport, Failure>) -> u8 {
        let (failure, record, report) = match result {
            Err(failure) => (Some(failure), None, self.counters.report()),
            Ok(mut report) => {
                let failed = report.failure.take();
                let record = failed.as_ref().map(|failed| failed.record);
                (failed.map(|failed| self.of_record(failed.record, failed.error)), record, report)
            }
        };
        self.end(failure, record, report)
    }

    fn end(&self, mut failure: Option<Failure>, record: Option<u64>, mut report: BatchReport) -> u8 {
        if report.outcome == BatchOutcome::Stopped && self.records.output_is_closed() {
            report.outcome = BatchOutcome::OutputClosed;
        }
        let is_failure = failure.is_some();
        let mut exit_code = match (&failure, report.outcome) {
            (Some(failure), _) => failure.exit_code,
            (None, BatchOutcome::OutputClosed) => 0,
            (None, _) if report.failed > 0 => exit_code::RECORDS_FAILED,
            (None, _) => 0,
        };
        let has_begun = report.outcome != BatchOutcome::Running;
        let signal = signals::caught().filter(|_| has_begun);
        if let Some(signal) = signal {
            let ended = supervisor::ended_by(signal, Phase::ProcessingRecords);
            exit_code = ended.exit_code;
            failure.get_or_insert(ended);
        }
        if has_begun {
            tracing::info!("{}", records::summary(&report, self.counters.elapsed()));
        }
        let shown = Some(&report).filter(|_| has_begun);
        // The reader of standard error may block.
        let written = self.write_metrics(failure.as_ref(), record, exit_code, shown);
        failure.iter().filter(|_| is_failure).for_each(|failure| {
            printer::failure(failure, self.settings.guest.quiet);
        });
        if !is_failure && has_begun && !tracing::enabled!(tracing::Level::INFO) {
            self.note_end(&report, signal.is_some());
        }
        if let Err(unwritten) = written {
            exit_code = printer::failure(&unwritten, self.settings.guest.quiet);
        }
        if let Some(signal) = signal {
            signals::end_by(signal);
        }
        exit_code
    }

    /// Notes that records failed, or that a signal stopped the batch. The summary in the log says both.
    fn note_end(&self, report: &BatchReport, is_stopped: bool) {
        let note = match report.outcome {
            _ if is_stopped => records::stopped(report),
            BatchOutcome::Completed if report.failed > 0 => records::failed(report),
            _ => return,
        };
        printer::note(&note, self.settings.guest.quiet);
    }

    /// Returns the failure of the record that ended the batch.
    fn of_record(&self, record: u64, error: wrun::Error) -> Failure {
        let failure = Failure::from(error);
        let message = format!("record {record}: {}", failure.message);
        let failure = Failure { message, exit_code: exit_code::RECORDS_FAILED, ..failure };
        match &self.call().signature {
            Some(signature) if failure.kind == "invalid_argument" => failure.hint(format!("signature: {signature}")),
            _ => failure,
        }
    }

    /// Writes the envelope, if there is a file for it.
    fn write_metrics(
        &self,
        failure: Option<&Failure>,
        record: Option<u64>,
        exit_code: u8,
        report: Option<&BatchReport>,
    ) -> Result<(), Failure> {
        let (Some(mut file), Some(path)) = (self.metrics.as_ref(), &self.settings.metrics) else { return Ok(()) };
        let mut call = self.call();
        call.metrics.total_ns = Some(nanoseconds(self.started.elapsed()));
        let envelope = BatchEnvelope::new(&self.settings.guest, &call, failure, record, exit_code, report);
        let is_msgpack = Path::new(path).extension().is_some_and(|end| end == "msgpack");
        let bytes = if is_msgpack { machine::msgpack(&envelope) } else { machine::json(&envelope, false) };
        file.write_all(&bytes).map_err(|error| Failure::io(&format!("cannot write {}", EscapedPath(path)), &error))
    }
}
