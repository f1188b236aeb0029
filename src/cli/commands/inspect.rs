//! `wrun inspect MODULE`

use std::path::PathBuf;

use clap::{Args, ValueHint};

use crate::cli::args::{LogArgs, ReportArgs};
use crate::cli::failure::Failure;
use crate::cli::output::inspect::{self, Inspection};
use crate::cli::output::{machine, printer};
use crate::cli::{argv, input};

#[derive(Args, Debug)]
pub(crate) struct InspectArgs {
    /// Module or component, binary or text, or `-` for standard input
    #[arg(allow_negative_numbers = true, value_hint = ValueHint::FilePath, value_parser = argv::path())]
    module: PathBuf,
    #[command(flatten)]
    report: ReportArgs,
    #[command(flatten)]
    pub(crate) log: LogArgs,
}

/// Prints the contents and requirements of a module or component, without an engine.
pub(crate) fn main(args: &InspectArgs) -> Result<u8, Failure> {
    let module = input::module(&args.module, input::is_stdin(&args.module), args.log.quiet)?;
    let bytes = module.bytes().map_err(|error| Failure::module(&args.module, &error))?;
    let inspection = Inspection::new(&args.module, bytes)?;
    printer::data(&machine::report(&inspection, args.report, inspect::text))?;
    Ok(0)
}
