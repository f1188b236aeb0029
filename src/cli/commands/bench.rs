//! `wrun bench MODULE [FUNCTION] [ARGS]...`

use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueHint};
use wrun::bench::{Baseline, Bench, BenchOptions, BenchReport, Progress as Step, SCHEMA};
use wrun::escape::EscapedPath;

use super::{compared, words};
use crate::cli::args::{
    CacheArgs, FORMAT_HEADING, GuestArgs, InputFormat, LogArgs, ProgressArgs, ReportArgs, TextArgs, choose_variants,
    limit_each,
};
use crate::cli::failure::Failure;
use crate::cli::output::progress::Progress;
use crate::cli::output::{bench, bench_html, machine, printer};
use crate::cli::parse_values::{parse_duration, parse_percentage};
use crate::cli::policy::Policy;
use crate::cli::settings::GuestSettings;
use crate::cli::supervisor::{Phase, Supervisor, SupervisorOptions};
use crate::cli::{argv, exit_code, hints, input, run_watch, stdin, written_files};

const BENCH_HEADING: &str = "Measurement";

#[derive(Args, Debug)]
#[command(mut_args(|arg| limit_each("call", choose_variants("Measure", arg))))]
#[command(
    after_help = "Exit codes: 0 measured; 1 something is slower than in the baseline; otherwise those of `wrun MODULE`."
)]
pub(crate) struct BenchArgs {
    /// Module or component, binary or text
    #[arg(allow_negative_numbers = true, value_hint = ValueHint::FilePath, value_parser = argv::path())]
    module: PathBuf,
    /// Exported function to call; without it, the program runs
    #[arg(allow_negative_numbers = true, value_hint = ValueHint::Other, value_parser = argv::text())]
    function: Option<String>,
    /// Exported function to call, if its name looks like an option; all words after MODULE are then ARGS
    #[arg(long = "function", value_name = "NAME", allow_hyphen_values = true, value_parser = argv::text())]
    function_name: Option<String>,
    /// Arguments of the function; `-` reads them from standard input
    #[arg(allow_negative_numbers = true, value_hint = ValueHint::Other, value_parser = argv::text())]
    args: Vec<String>,
    /// Arguments of the program
    #[arg(last = true, value_hint = ValueHint::FilePath, value_parser = argv::text())]
    guest_args: Vec<String>,
    /// Maximum time for each phase, all variants together [default: 3s]
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true, value_parser = argv::text_for(parse_duration), help_heading = BENCH_HEADING)]
    time: Option<Duration>,
    /// End a phase early when the 95 % interval of each median extends at most this far to each side of the median [default: 2%]
    #[arg(long, value_name = "PERCENT", allow_hyphen_values = true, value_parser = argv::text_for(parse_percentage), help_heading = BENCH_HEADING)]
    precision: Option<f64>,
    /// Compare with a report that `-o json` wrote; exit with 1 if something is slower
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, value_parser = argv::path(), help_heading = BENCH_HEADING)]
    baseline: Option<PathBuf>,
    /// Largest slowdown that is accepted
    #[arg(long, value_name = "PERCENT", default_value = "5%", requires = "baseline", allow_hyphen_values = true, value_parser = argv::text_for(parse_percentage), help_heading = BENCH_HEADING)]
    max_regression: f64,
    #[command(flatten)]
    guest: GuestArgs,
    /// Format of arguments on standard input
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t, help_heading = FORMAT_HEADING)]
    input: InputFormat,
    #[command(flatten)]
    #[command(next_help_heading = FORMAT_HEADING)]
    report: ReportArgs,
    /// Also write the report as a page for browsers
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, value_parser = argv::path(), help_heading = FORMAT_HEADING)]
    html: Option<PathBuf>,
    #[command(flatten)]
    text: TextArgs,
    #[command(flatten)]
    progress: ProgressArgs,
    #[command(flatten)]
    pub(crate) log: LogArgs,
}

/// Measures a call or a program on several engines, compilers and levels.
pub(crate) fn main(args: BenchArgs) -> Result<u8, Failure> {
    let (format, html) = (args.report, args.html.clone());
    // Before minutes are spent.
    let baseline = args.baseline.as_deref().map(read_baseline).transpose()?;
    let baseline = baseline.map(|report| Baseline::new(report, args.max_regression));
    let cannot_write = |path: &Path, error| Failure::io(&format!("cannot write {}", EscapedPath(path)), &error);
    if let Some(path) = &html {
        let reads = [
            ("the module", Some(args.module.as_path())),
            ("the policy", args.guest.policy.policy.as_deref()),
            ("the baseline", args.baseline.as_deref()),
        ];
        written_files::check("--html", path, &reads)?;
        written_files::check_writable(path).map_err(|error| cannot_write(path, error))?;
    }
    let report = measured(args, baseline)?;
    if let Some(path) = html {
        fs::write(&path, bench_html::page(&report)).map_err(|error| cannot_write(&path, error))?;
    }
    printer::data(&machine::report(&report, format, |report| bench::text(report, printer::columns())))?;
    let is_slower = report.baseline.is_some_and(|changes| changes.has_regression());
    Ok(if is_slower { exit_code::SLOWER } else { 0 })
}

fn measured(args: BenchArgs, baseline: Option<Baseline>) -> Result<BenchReport, Failure> {
    let policy = Policy::read(&args.guest.policy)?;
    let (cache, quiet) = (CacheArgs::default(), args.log.quiet);
    let function_is_option = args.function_name.is_some();
    let (function, function_args) = words::function_and_args(args.function_name, args.function, args.args);
    let mut guest = GuestSettings::resolve(args.module, function, args.guest_args, policy, &args.guest, &cache, quiet)?;
    guest.function_is_option = function_is_option;
    let supervision = SupervisorOptions::new(Progress::new(args.progress.progress, quiet));
    let arguments = words::arguments(function_args, args.input);
    let mut options = BenchOptions::default();
    options.time = args.time.unwrap_or(options.time);
    options.precision = args.precision.unwrap_or(options.precision);
    options.baseline = baseline;
    options.compare = compared::options(&guest, &args.text)?;
    let measured = Supervisor::run(supervision, |supervisor| {
        let module_is_stdin = input::is_stdin(&guest.module);
        let module = compared::read_module("bench", &guest, module_is_stdin)?;
        let code = module.bytes().map_err(|error| Failure::module(&guest.module, &error))?;
        let mut bench = Bench::new(code, guest.function.as_deref(), options)?;
        compared::check(&guest, &args.text, bench.info(), bench.callable())?;
        supervisor.enter(Phase::ReadingArguments);
        if input::are_on_stdin(&arguments, bench.callable()) {
            if module_is_stdin {
                return Err(Failure::both_from_stdin());
            }
        } else if bench.reads_stdin() && !module_is_stdin && !io::stdin().is_terminal() {
            bench.set_stdin(stdin::read("the guest's input", quiet)?);
        }
        let call_args = input::arguments(&arguments, bench.callable(), quiet)
            .map_err(|failure| hints::for_arguments(failure, bench.info(), bench.callable(), &guest, &arguments))?;
        supervisor.enter(Phase::RunningGuest);
        let limit = guest.limits.limits().time;
        let phases = bench.phases();
        let place = |phase| phases.iter().position(|one| *one == phase).unwrap_or_default() + 1;
        let mut report = run_watch::watch(supervisor, limit, exit_code::TIMEOUT, |events| {
            bench.run(&call_args, &|step| match step {
                Step::Measuring(phase) => supervisor.show_step(format!(
                    "measuring: {} ({} of {})",
                    bench::phase_name(phase),
                    place(phase),
                    phases.len()
                )),
                Step::Run(event) => events(event),
                _ => supervisor.show_step("checking".to_owned()),
            })
        })??;
        report.module = Some(guest.module.display().to_string());
        Ok(report)
    });
    measured.map_err(|failure| hints::for_grant(failure, &guest.grants))
}

/// Reads an earlier report.
fn read_baseline(path: &Path) -> Result<BenchReport, Failure> {
    let refused = |why: String| Failure::usage(format!("--baseline: {}: {why}", EscapedPath(path)));
    let bytes = fs::read(path).map_err(|error| refused(format!("cannot read it: {error}")))?;
    let report: BenchReport =
        serde_json::from_slice(&bytes).map_err(|error| refused(format!("not a report of `wrun bench`: {error}")))?;
    if report.schema != SCHEMA {
        return Err(refused(format!("its schema is {}, not {SCHEMA}: measure it again", report.schema)));
    }
    Ok(report)
}
