//! The command line. Parsing does no I/O.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::error::{ContextKind, ErrorKind};
use clap::{ArgMatches, ColorChoice, CommandFactory, Parser, Subcommand};

use super::args::{LogArgs, When};
use super::argv;
use super::commands::cache::CacheCommandArgs;
use super::commands::compile::CompileArgs;
use super::commands::completions::CompletionsArgs;
use super::commands::engines::EnginesArgs;
use super::commands::inspect::InspectArgs;
use super::commands::run::RunArgs;

/// Run WebAssembly on Wasmtime or Wasmer, with the same calls, limits and output on both.
///
/// `wrun MODULE FUNCTION ARGS...` calls an export and prints its result; `wrun MODULE` runs a program's `_start`.
#[derive(Debug, Parser)]
#[command(
    name = "wrun",
    version,
    arg_required_else_help = true,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    disable_help_subcommand = true,
    after_help = "Exit codes: 0 success; 2 usage; 124 timeout; 125 wrun itself failed; 126 the module cannot run; \
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
    /// Show the contents and requirements of a module, without running it
    Inspect(InspectArgs),
    /// List the engines and what each can do
    Engines(EnginesArgs),
    /// Compile modules into the cache
    Compile(CompileArgs),
    /// Inspect or clean the cache of compiled code
    Cache(CacheCommandArgs),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
}

impl Cli {
    pub(crate) fn log(&self) -> &LogArgs {
        match &self.command {
            None => &self.run.log,
            Some(Command::Inspect(args)) => &args.log,
            Some(Command::Engines(args)) => &args.log,
            Some(Command::Compile(args)) => &args.log,
            Some(Command::Cache(args)) => &args.log,
            Some(Command::Completions(args)) => &args.log,
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
        // clap suggests `--` in front of values, which would pass them to the guest.
        error.remove(ContextKind::Suggested);
        argv::unescape_error(&mut error);
        error.with_cmd(&command)
    })
}

fn subcommand_name(module: Option<&Path>) -> Option<&str> {
    module.and_then(Path::to_str).filter(|name| Command::has_subcommand(name))
}

/// Parses a command line that may have an error, up to that error.
fn parse_before_error(args: &[OsString]) -> ArgMatches {
    let command = Cli::command().ignore_errors(true).disable_help_flag(true).disable_version_flag(true);
    command.try_get_matches_from(argv::escape(args.iter().cloned())).unwrap_or_default()
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

    fn words(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    #[track_caller]
    fn run(line: &str) -> RunArgs {
        let cli = parse(&words(line)).unwrap();
        assert!(cli.command.is_none(), "{line}");
        cli.run
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
            let args = run(&format!("wrun m.wasm f {literal} -r wasmer 1 {literal} -v"));
            assert_eq!(args.args, [literal, "1", literal]);
            assert_eq!((args.engine.runtime, args.log.verbose), (Some(RuntimeKind::Wasmer), 1));
            let args = run(&format!("wrun {literal} {literal}"));
            assert_eq!((args.module.as_deref(), args.function.as_deref()), (Some(Path::new(literal)), Some(literal)));
            let cli = parse(&words(&format!("wrun compile {literal} {literal}"))).unwrap();
            assert!(format!("{cli:?}").contains(&format!("[{literal:?}, {literal:?}]")), "{cli:?}");
        }
    }

    #[test]
    fn options_are_accepted_around_positionals() {
        let args = run("wrun -rwasmer m.wasm -vv f --input=msgpack 1 -o text 2 --pretty");
        assert_eq!((args.module, args.function), (Some("m.wasm".into()), Some("f".into())));
        assert_eq!(args.args, ["1", "2"]);
        assert_eq!((args.engine.runtime, args.log.verbose, args.format.pretty), (Some(RuntimeKind::Wasmer), 2, true));
        assert_eq!(args.format.input, InputFormat::Msgpack);
    }

    #[test]
    fn arguments_after_two_dashes_are_the_guests() {
        let args = run("wrun m.wasm f -inf -- -inf -v -- 5");
        assert_eq!(args.args, ["-inf"]);
        assert_eq!(args.guest_args, ["-inf", "-v", "--", "5"]);
    }

    #[test]
    fn a_dash_is_a_value() {
        let args = run("wrun - f - -v");
        assert_eq!((args.module, args.args), (Some("-".into()), vec!["-".to_owned()]));
    }

    #[test]
    fn negative_values_of_options_are_errors_about_the_value() {
        for (line, part) in [
            ("wrun --memory -5 m.wasm", "invalid value '-5' for '--memory <SIZE>': a unit"),
            ("wrun --memory -0x5MiB m.wasm", "invalid value '-0x5MiB'"),
            ("wrun --timeout -1.5s m.wasm", "invalid value '-1.5s' for '--timeout <DURATION>'"),
            ("wrun --fuel -5 m.wasm", "invalid value '-5' for '--fuel <N>'"),
            ("wrun --fuel -inf m.wasm", "invalid value '-inf' for '--fuel <N>'"),
            ("wrun -r -inf m.wasm", "invalid value '-inf' for '--runtime <ENGINE>'"),
            ("wrun engines -inf", "unexpected argument '-inf'"),
        ] {
            assert!(usage_error(line).contains(part), "{line}");
        }
    }

    #[test]
    fn options_may_have_values_like_literals() {
        let args = run("wrun --dir -.config --policy -nan --cache-dir -0x10 m.wasm");
        assert_eq!(args.grants.dir[0].host, Path::new("-.config"));
        assert_eq!(args.policy.policy.as_deref(), Some(Path::new("-nan")));
        assert_eq!(args.cache.dir.cache_dir.as_deref(), Some(Path::new("-0x10")));
    }

    #[test]
    fn unknown_options_are_errors() {
        assert!(usage_error("wrun m.wasm f -x").contains("unexpected argument '-x'"));
        assert!(usage_error("wrun m.wasm f -info").contains("unexpected argument '-i'"));
        let error = usage_error("wrun m.wasm f --metrisc");
        assert!(error.contains("'--metrics'") && !error.contains("'-- "), "{error}");
    }

    #[test]
    fn arguments_are_kept_byte_for_byte() {
        let typed = |argument: &[u8]| {
            let mut args = words("wrun m.wasm f");
            args.insert(1, OsString::from_vec(argument.to_vec()));
            parse(&args).unwrap().run
        };
        assert_eq!(typed(b"\xff.wasm").module.unwrap().into_os_string().into_vec(), b"\xff.wasm");
        assert_eq!(typed(b" -5").module.unwrap(), Path::new(" -5"));
    }

    #[test]
    fn a_subcommand_comes_first() {
        for line in [
            "wrun -v inspect m.wasm",
            "wrun -o json inspect m.wasm",
            "wrun -r wasmer inspect",
            "wrun -v inspect m.wasm --help",
            "wrun -q inspect --remove",
        ] {
            let error = usage_error(line);
            assert!(error.contains("a subcommand comes first: use `wrun inspect"), "{error}");
        }
        assert!(matches!(parse(&words("wrun inspect -v inspect")).unwrap().command, Some(Command::Inspect(_))));
        assert_eq!(run("wrun -v ./inspect").module, Some("./inspect".into()));
        assert_eq!(run("wrun m.wasm inspect cache").args, ["cache"]);
    }

    #[test]
    fn errors_have_the_color_that_was_asked_for() {
        let choice = |line| color(&parse_before_error(&words(line)));
        assert_eq!(choice("wrun --color always --bogus"), ColorChoice::Always);
        assert_eq!(choice("wrun --color=never --help"), ColorChoice::Never);
        assert_eq!(choice("wrun inspect --color always"), ColorChoice::Always);
        assert_eq!(choice("wrun --color sometimes"), ColorChoice::Auto);
        assert_eq!(choice("wrun --bogus"), ColorChoice::Auto);
    }
}
