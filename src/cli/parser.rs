//! The command line. Parsing does no I/O.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::{ArgMatches, ColorChoice, CommandFactory, Parser, Subcommand};

use super::args::{LogArgs, When};
use super::commands::batch::BatchArgs;
use super::commands::bench::BenchArgs;
use super::commands::cache::CacheCommandArgs;
use super::commands::compile::CompileArgs;
use super::commands::completions::CompletionsArgs;
use super::commands::diff::DiffArgs;
use super::commands::engines::EnginesArgs;
use super::commands::inspect::InspectArgs;
use super::commands::man::ManArgs;
use super::commands::run::RunArgs;
use super::commands::schema::SchemaArgs;
use super::{argv, usage_hints};

/// Run WebAssembly on Wasmtime or Wasmer, with the same calls, limits and output on both.
///
/// `wrun MODULE FUNCTION ARGS...` calls an export and prints its result; `wrun MODULE` runs a program. MODULE is a core module or a component.
#[derive(Debug, Parser)]
#[command(
    name = "wrun",
    version,
    arg_required_else_help = true,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    disable_help_subcommand = true,
    args_override_self = true,
    after_help = "Exit codes: 0 success; 1 a component returned `err` or a plug-in failed; 1-123 also those of the program; 2 usage; 123 records of a batch failed; 124 timeout; 125 wrun itself failed; 126 the module cannot run; \
                  127 no such module or export; 130 SIGINT; 134 trap; 137 limit exceeded; 143 SIGTERM; 152 out of fuel."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

// `defer`: clap builds the options of a subcommand only if it is used.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum Command {
    /// Show the contents and requirements of a module or component, without running it
    Inspect(InspectArgs),
    /// List the engines and what each can do
    Engines(EnginesArgs),
    /// Compile modules and components into the cache
    Compile(CompileArgs),
    /// Call a function with each record of standard input
    Batch(Box<BatchArgs>),
    /// Run a call or a program on several engines, and report what differs
    Diff(Box<DiffArgs>),
    /// Measure how fast a call or a program is on several engines
    Bench(Box<BenchArgs>),
    /// Inspect or clean the cache of compiled code
    Cache(CacheCommandArgs),
    /// Print the JSON Schemas of the reports
    Schema(SchemaArgs),
    /// Print a completion script for a shell
    ///
    /// `source <(COMPLETE=bash wrun)` instead also completes the functions of the module that is typed: see docs/cli.md for other shells.
    Completions(CompletionsArgs),
    /// Write the manual pages
    #[command(hide = true)]
    Man(ManArgs),
}

impl Cli {
    pub(crate) fn log(&self) -> &LogArgs {
        match &self.command {
            None => &self.run.log,
            Some(Command::Inspect(args)) => &args.log,
            Some(Command::Engines(args)) => &args.log,
            Some(Command::Compile(args)) => &args.log,
            Some(Command::Batch(args)) => &args.log,
            Some(Command::Diff(args)) => &args.log,
            Some(Command::Bench(args)) => &args.log,
            Some(Command::Cache(args)) => &args.log,
            Some(Command::Schema(args)) => &args.log,
            Some(Command::Completions(args)) => &args.log,
            Some(Command::Man(args)) => &args.log,
        }
    }
}

/// Parses the arguments of the process.
///
/// # Errors
/// Returns clap's usage error, or the text for `--help` or `--version`.
pub(crate) fn parse(args: &[OsString]) -> clap::error::Result<Cli> {
    let parsed = Cli::try_parse_from(argv::escape(args.iter().cloned()));
    if parsed.as_ref().is_ok_and(|cli| subcommand_name(cli.run.module.as_deref()).is_none()) {
        return parsed;
    }
    let matches = parse_before_error(args);
    let mut command = Cli::command().color(color(&matches));
    // A subcommand after options is parsed as the module.
    let module = matches.try_get_one::<PathBuf>("module").unwrap_or_default();
    if let Some(name) = subcommand_name(module.map(PathBuf::as_path)) {
        let message = format!(
            "a subcommand comes first: use `wrun {name} [OPTIONS]`, or `./{name}` for a module file of that name"
        );
        return Err(command.error(ErrorKind::ArgumentConflict, message));
    }
    parsed.map_err(|mut error| {
        argv::unescape_error(&mut error);
        let function =
            ["function", "function_name"].into_iter().find_map(|id| matches.try_get_one::<String>(id).ok()?);
        if is_quiet(&matches) {
            usage_hints::remove_suggestions(&mut error);
        } else {
            usage_hints::for_usage_error(&mut error, args, module.map(PathBuf::as_path), function.map(String::as_str));
        }
        error.with_cmd(&command)
    })
}

fn subcommand_name(module: Option<&Path>) -> Option<&str> {
    module.and_then(Path::to_str).filter(|name| Command::has_subcommand(name))
}

/// Parses a command line that may have an error, up to that error.
pub(crate) fn parse_before_error(args: &[OsString]) -> ArgMatches {
    let command = Cli::command().ignore_errors(true).disable_help_flag(true).disable_version_flag(true);
    command.try_get_matches_from(argv::escape(args.iter().cloned())).unwrap_or_default()
}

fn is_quiet(matches: &ArgMatches) -> bool {
    let matches = matches.subcommand().map_or(matches, |(_, matches)| matches);
    matches.try_get_one("quiet").is_ok_and(|quiet| quiet == Some(&true))
}

fn color(matches: &ArgMatches) -> ColorChoice {
    let matches = matches.subcommand().map_or(matches, |(_, matches)| matches);
    match matches.try_get_one("color") {
        Ok(Some(When::Always)) => ColorChoice::Always,
        Ok(Some(When::Never)) => ColorChoice::Never,
        _ => ColorChoice::Auto,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt as _;

    use wrun::RuntimeKind;

    use super::*;
    use crate::cli::args::InputFormat;
    use crate::cli::hints;

    fn words(line: &str) -> Vec<OsString> {
        ["wrun"].into_iter().chain(line.split_whitespace()).map(OsString::from).collect()
    }

    #[track_caller]
    fn run(line: &str) -> RunArgs {
        let cli = parse(&words(line)).unwrap();
        assert!(cli.command.is_none(), "{line}");
        cli.run
    }

    /// Returns the module, the function and its arguments, and then those of the guest.
    fn positionals(run: RunArgs) -> [String; 2] {
        let module = run.module.map(|module| module.into_os_string().into_string().unwrap());
        let words: Vec<String> = module.into_iter().chain(run.function).chain(run.args).collect();
        [words.join(" "), run.guest_args.join(" ")]
    }

    #[track_caller]
    fn usage_error(line: &str) -> String {
        let error = parse(&words(line)).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{line}");
        error.to_string()
    }

    #[test]
    fn negative_literals_are_values() {
        for literal in [
            "-5", "-0", "-1.5", "-1.5e3", "-1e-3", "-1E+3", "-.5", "-1_000", "-0x10", "-0xffp3", "-inf", "-nan",
            "-nan:0x1", "-1.2.3",
        ] {
            let args = run(&format!("m.wasm f {literal} -r wasmer 1 {literal} -v"));
            assert_eq!((args.guest.engine.runtime, args.log.verbose), (Some(RuntimeKind::Wasmer), 1));
            assert_eq!(positionals(args)[0], format!("m.wasm f {literal} 1 {literal}"));
            let twice = format!("{literal} {literal}");
            assert_eq!(positionals(run(&twice))[0], twice);
            let cli = parse(&words(&format!("compile {twice}"))).unwrap();
            assert!(format!("{cli:?}").contains(&format!("[{literal:?}, {literal:?}]")), "{cli:?}");
        }
    }

    #[test]
    fn options_are_accepted_around_positionals() {
        let args = run("-rwasmer m.wasm -vv f --input=msgpack 1 -o text 2 --pretty");
        assert_eq!((args.guest.engine.runtime, args.log.verbose), (Some(RuntimeKind::Wasmer), 2));
        assert_eq!((args.format.input, args.format.pretty), (InputFormat::Msgpack, true));
        assert_eq!(positionals(args)[0], "m.wasm f 1 2");
    }

    #[test]
    fn positionals_may_look_like_options_and_subcommands() {
        assert_eq!(positionals(run("m.wasm f -inf -- -inf -v -- 5")), ["m.wasm f -inf", "-inf -v -- 5"]);
        assert_eq!(positionals(run("- f - -v")), ["- f -", ""]);
        assert_eq!(positionals(run("-v ./inspect")), ["./inspect", ""]);
        assert_eq!(positionals(run("m.wasm inspect cache")), ["m.wasm inspect cache", ""]);
    }

    #[test]
    fn options_may_have_values_like_literals() {
        let args = run("--dir -.config --policy -nan --cache-dir -0x10 m.wasm");
        assert_eq!(args.guest.grants.dir[0].host, Path::new("-.config"));
        assert_eq!(args.guest.policy.policy.as_deref(), Some(Path::new("-nan")));
        assert_eq!(args.cache.dir.cache_dir.as_deref(), Some(Path::new("-0x10")));
    }

    #[test]
    fn errors_quote_options_and_their_values() {
        for (line, part) in [
            ("--memory -5 m.wasm", "invalid value '-5' for '--memory <SIZE>': a unit"),
            ("--memory -0x5MiB m.wasm", "invalid value '-0x5MiB'"),
            ("--timeout -1.5s m.wasm", "invalid value '-1.5s' for '--timeout <DURATION>'"),
            ("--fuel -5 m.wasm", "invalid value '-5' for '--fuel <N>'"),
            ("--fuel -inf m.wasm", "invalid value '-inf' for '--fuel <N>'"),
            ("-r -inf m.wasm", "invalid value '-inf' for '--runtime <ENGINE>'"),
            ("engines -inf", "unexpected argument '-inf'"),
            ("m.wasm f -x", "unexpected argument '-x'"),
            ("m.wasm f -info", "unexpected argument '-i'"),
            ("m.wasm f --metrisc", "'--metrics'"),
        ] {
            let error = usage_error(line);
            assert!(error.contains(part) && !error.contains("'-- "), "{error}");
        }
    }

    #[test]
    fn arguments_are_kept_byte_for_byte() {
        for module in [&b"\xff.wasm"[..], b" -5"] {
            let mut args = words("m.wasm");
            args[1] = OsString::from_vec(module.to_vec());
            assert_eq!(parse(&args).unwrap().run.module.unwrap().into_os_string().into_vec(), module);
        }
    }

    #[test]
    fn a_subcommand_comes_first() {
        let lines = [
            "-v inspect m.wasm",
            "-o json inspect m.wasm",
            "-r wasmer inspect",
            "-v inspect m.wasm --help",
            "-q inspect --remove",
        ];
        for error in lines.map(usage_error) {
            assert!(error.contains("a subcommand comes first: use `wrun inspect"), "{error}");
        }
        assert!(matches!(parse(&words("inspect -v inspect")).unwrap().command, Some(Command::Inspect(_))));
    }

    #[test]
    fn hints_know_the_subcommands() {
        let command = Cli::command();
        let shown = command.get_subcommands().filter(|command| !command.is_hide_set());
        assert_eq!(shown.map(clap::Command::get_name).collect::<Vec<_>>(), hints::SUBCOMMANDS);
    }

    #[test]
    fn errors_have_the_color_that_was_asked_for() {
        let choice = |line| color(&parse_before_error(&words(line)));
        assert_eq!(choice("--color always --bogus"), ColorChoice::Always);
        assert_eq!(choice("--color=never --help"), ColorChoice::Never);
        assert_eq!(choice("inspect --color always"), ColorChoice::Always);
        assert_eq!(choice("--color sometimes"), ColorChoice::Auto);
        assert_eq!(choice("--bogus"), ColorChoice::Auto);
    }
}
