//! From the command line to the exit code.

use std::ffi::OsString;
use std::panic;

use clap::error::ContextKind;
use clap::{CommandFactory, FromArgMatches};

use super::args::{Cli, Command, LogArgs};
use super::failure::Failure;
use super::{argv, commands, exit_code, failure, logging, printer};

/// Runs the command; its exit code.
pub(crate) fn main(argv: impl Iterator<Item = OsString>) -> u8 {
    let cli = match parse(argv.collect()) {
        Ok(cli) => cli,
        Err(mut answer) => {
            // clap would say to put values after `--`, where wrun has arguments of programs.
            answer.remove(ContextKind::Suggested);
            // Help and version go to standard output, usage errors to standard error.
            let printed = answer.print();
            if !answer.use_stderr()
                && let Err(failure) = printer::written(printed)
            {
                printer::failure(&failure, false);
                return failure.exit_code;
            }
            return u8::try_from(answer.exit_code()).unwrap_or(exit_code::USAGE);
        }
    };
    let log = log(&cli);
    let quiet = log.quiet;
    panic::set_hook(Box::new(|panic| tracing::error!("{panic}")));
    let done = logging::set_up(log).and_then(|()| failure::guard(|| dispatch(cli)));
    done.unwrap_or_else(|failure: Failure| {
        printer::failure(&failure, quiet);
        failure.exit_code
    })
}

fn parse(argv: Vec<OsString>) -> clap::error::Result<Cli> {
    if let Some(run) = argv::plain(&argv) {
        return Ok(Cli { command: None, run });
    }
    let mut command = Cli::command().color(argv::colour(&argv));
    let ordered = argv::order(argv.into_iter(), &command);
    Cli::from_arg_matches_mut(&mut command.try_get_matches_from_mut(ordered)?)
}

fn dispatch(cli: Cli) -> Result<u8, Failure> {
    match cli.command {
        None => commands::run::main(cli.run),
        Some(Command::Inspect(args)) => commands::inspect::main(&args),
        Some(Command::Engines(args)) => commands::engines::main(&args),
        Some(Command::Compile(args)) => commands::compile::main(args),
        Some(Command::Cache(args)) => commands::cache::main(&args),
        Some(Command::Completions(args)) => commands::completions::main(&args),
    }
}

fn log(cli: &Cli) -> &LogArgs {
    match &cli.command {
        None => &cli.run.log,
        Some(Command::Inspect(args)) => &args.log,
        Some(Command::Engines(args)) => &args.log,
        Some(Command::Compile(args)) => &args.log,
        Some(Command::Cache(args)) => &args.log,
        Some(Command::Completions(args)) => &args.log,
    }
}
