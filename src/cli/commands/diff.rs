//! `wrun diff MODULE [FUNCTION] [ARGS]...`

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use clap::{Arg, Args, ValueHint};
use wrun::compare::{CompareOptions, CompareSessions, Comparison, Verdict};
use wrun::escape::EscapedPath;
use wrun::session::Event;

use super::{compared, diff_batch, diff_fuzz, words};
use crate::cli::args::{
    CacheArgs, FORMAT_HEADING, FuzzArgs, GuestArgs, InputFormat, LogArgs, ProgressArgs, ReportArgs, TextArgs,
    choose_variants, limit_each,
};
use crate::cli::failure::Failure;
use crate::cli::output::progress::Progress;
use crate::cli::output::{comparison, machine, printer};
use crate::cli::policy::Policy;
use crate::cli::settings::{Arguments, GuestSettings};
use crate::cli::supervisor::{Phase, Supervisor, SupervisorOptions};
use crate::cli::{argv, exit_code, hints, input, repro, run_watch, stdin};

#[derive(Args, Debug)]
#[command(mut_args(help_of_diff))]
#[command(after_help = "Exit codes: 0 all runs agree; 1 they differ; 2 inconclusive, or an error.")]
pub(crate) struct DiffArgs {
    /// Module or component, binary or text
    #[arg(required_unless_present = "fuzz", allow_negative_numbers = true, value_hint = ValueHint::FilePath, value_parser = argv::path())]
    module: Option<PathBuf>,
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

    #[command(flatten)]
    guest: GuestArgs,
    /// Format of arguments or records on standard input
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t, help_heading = FORMAT_HEADING)]
    input: InputFormat,
    #[command(flatten)]
    #[command(next_help_heading = FORMAT_HEADING)]
    report: ReportArgs,
    /// Write the module, standard input, the report and a script that repeats the comparison to a new directory
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, value_parser = argv::path(), help_heading = FORMAT_HEADING)]
    repro: Option<PathBuf>,
    /// Compare each record of standard input, as `wrun batch` reads them in JSON or MessagePack, and report those that differ
    #[arg(long, conflicts_with_all = ["args", "repro"], help_heading = FORMAT_HEADING)]
    batch: bool,
    #[command(flatten)]
    text: TextArgs,
    #[command(flatten)]
    fuzz: FuzzArgs,
    #[command(flatten)]
    progress: ProgressArgs,
    #[command(flatten)]
    pub(crate) log: LogArgs,
}

fn help_of_diff(arg: Arg) -> Arg {
    match arg.get_id().as_str() {
        "deterministic" => arg.help("Seed of random bytes; clocks and NaNs are always deterministic [default: 0]"),
        _ => limit_each("run", choose_variants("Compare", arg)),
    }
}

/// Runs a call or a program on several engines, compilers and levels, and reports what differs.
pub(crate) fn main(args: DiffArgs) -> Result<u8, Failure> {
    compare(args).map_err(|failure| Failure { exit_code: exit_code::INCONCLUSIVE, ..failure })
}

fn compare(args: DiffArgs) -> Result<u8, Failure> {
    let policy = Policy::read(&args.guest.policy)?;
    let (cache, quiet) = (CacheArgs::default(), args.log.quiet);
    let function_is_option = args.function_name.is_some();
    let (function, function_args) = words::function_and_args(args.function_name, args.function, args.args);
    let module = args.module.unwrap_or_default();
    let mut guest = GuestSettings::resolve(module, function, args.guest_args, policy, &args.guest, &cache, quiet)?;
    guest.function_is_option = function_is_option;
    let mut options = compared::options(&guest, &args.text)?;
    options.capabilities.seed.get_or_insert_default();
    let supervised = SupervisorOptions::new(Progress::new(args.progress.progress, quiet));
    if args.fuzz.fuzz.is_some() {
        return diff_fuzz::main(&args.fuzz, options.variants, args.repro, guest, args.report, supervised);
    }
    // Clap waives `requires` for an option that conflicts with the module.
    if args.fuzz.seed.or(args.fuzz.skip).is_some() || !args.fuzz.without.is_empty() {
        return Err(Failure::usage("`--seed`, `--skip` and `--without` need `--fuzz`"));
    }
    if args.batch {
        if !function_args.is_empty() {
            return Err(Failure::usage("`--batch` reads the arguments from standard input"));
        }
        return diff_batch::main(&guest, &args.text, options, args.input, args.report, supervised);
    }
    let arguments = words::arguments(function_args, args.input);
    if let Some(dir) = args.repro.as_deref().filter(|dir| dir.symlink_metadata().is_ok()) {
        return Err(Failure::usage(format!("cannot write the directory {}: it exists", EscapedPath(dir))));
    }
    let compared = Supervisor::run(supervised, |supervisor| {
        compare_once(supervisor, &guest, &args.text, &arguments, options, args.repro.as_deref())
    });
    let comparison = compared.map_err(|failure| hints::for_grant(failure, &guest.grants))?;
    printer::data(&machine::report(&comparison, args.report, |it| comparison::text(it, printer::columns())))?;
    Ok(exit_code(&comparison))
}

fn compare_once(
    supervisor: &Supervisor,
    guest: &GuestSettings,
    text: &TextArgs,
    arguments: &Arguments,
    options: CompareOptions,
    repro: Option<&Path>,
) -> Result<Comparison, Failure> {
    let module_is_stdin = input::is_stdin(&guest.module);
    let module = compared::read_module("diff", guest, module_is_stdin)?;
    let code = module.bytes().map_err(|error| Failure::module(&guest.module, &error))?;
    let sessions = CompareSessions::open(code, guest.function.as_deref(), options)?;
    compared::check(guest, text, sessions.info(), sessions.callable())?;
    supervisor.enter(Phase::ReadingArguments);
    let (info, callable) = (sessions.info(), sessions.callable());
    let hinted = |failure| hints::for_arguments(failure, info, callable, guest, arguments);
    let (args, mut stdin) = match *arguments {
        Arguments::Stdin(format) | Arguments::Omitted(format) if input::are_on_stdin(arguments, callable) => {
            if module_is_stdin {
                return Err(Failure::both_from_stdin());
            }
            let bytes = input::read_arguments(format, guest.quiet).map_err(hinted)?;
            (input::decode(format, &bytes, callable).map_err(hinted)?, bytes)
        }
        _ => (input::arguments(arguments, callable, guest.quiet).map_err(hinted)?, Vec::new()),
    };
    let mut comparer = compared::compile(sessions, supervisor)?;
    if !input::are_on_stdin(arguments, comparer.callable())
        && comparer.reads_stdin()
        && !module_is_stdin
        && !io::stdin().is_terminal()
    {
        supervisor.enter(Phase::ReadingArguments);
        stdin = stdin::read("the guest's input", guest.quiet)?;
        comparer.set_stdin(stdin.clone());
    }
    supervisor.enter(Phase::RunningGuest);
    let limit = guest.limits.limits().time;
    let variants: Vec<_> = comparer.running_variants().collect();
    let runs = AtomicUsize::new(0);
    let show_run = || {
        let run = runs.fetch_add(1, Ordering::Relaxed);
        let variant = variants.get(run).map(ToString::to_string).unwrap_or_default();
        supervisor.show_step(format!("running on {variant} ({} of {})", run + 1, variants.len()));
    };
    let comparison = run_watch::watch(supervisor, limit, exit_code::INCONCLUSIVE, |events| {
        comparer.compare_with_events(&args, &|event| {
            if event == Event::Instantiating {
                show_run();
            }
            events(event);
        })
    })??;
    if let Some(dir) = repro {
        repro::write(dir, code, &stdin, arguments, guest, &comparer, &comparison)?;
    }
    Ok(comparison)
}

fn exit_code(comparison: &Comparison) -> u8 {
    match comparison.verdict {
        Verdict::Same => 0,
        Verdict::Differ => exit_code::DIFFERENT,
        Verdict::Inconclusive => exit_code::INCONCLUSIVE,
    }
}
