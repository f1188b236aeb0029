//! From the command line to the exit code.

use std::ffi::OsString;
use std::panic;

use clap::CommandFactory;

use super::failure::Failure;
use super::output::printer;
use super::parser::{self, Cli, Command};
use super::{commands, complete, exit_code, failure, logging};

/// Runs the command and returns its exit code.
pub(crate) fn main(args: impl Iterator<Item = OsString>) -> u8 {
    panic::set_hook(Box::new(|panic| tracing::error!("{panic}")));
    let mut quiet = false;
    let result = failure::catch_panic(|| {
        let args: Vec<_> = args.collect();
        if let Some(answered) = complete::answer(&args) {
            return answered;
        }
        match parser::parse(&args) {
            Ok(cli) => {
                quiet = cli.log().quiet;
                logging::set_up(cli.log())?;
                dispatch(cli)
            }
            Err(error) => print_parse_error(&error),
        }
    });
    result.unwrap_or_else(|failure| printer::failure(&failure, quiet))
}

/// Prints help and version to standard output, usage errors to standard error.
fn print_parse_error(error: &clap::Error) -> Result<u8, Failure> {
    let printed = error.print();
    if !error.use_stderr() {
        printer::check(printed)?;
    }
    Ok(u8::try_from(error.exit_code()).unwrap_or(exit_code::USAGE))
}

fn dispatch(cli: Cli) -> Result<u8, Failure> {
    match cli.command {
        None => commands::run::main(cli.run),
        Some(Command::Inspect(args)) => commands::inspect::main(&args),
        Some(Command::Engines(args)) => commands::engines::main(&args),
        Some(Command::Compile(args)) => commands::compile::main(args),
        Some(Command::Batch(args)) => commands::batch::main(*args),
        Some(Command::Diff(args)) => commands::diff::main(*args),
        Some(Command::Bench(args)) => commands::bench::main(*args),
        Some(Command::Cache(args)) => commands::cache::main(&args),
        Some(Command::Schema(args)) => commands::schema::main(&args),
        Some(Command::Man(args)) => commands::man::main(&args, &mut Cli::command()),
        Some(Command::Completions(args)) => commands::completions::main(&args, &Cli::command()),
    }
}
