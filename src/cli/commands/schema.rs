//! `wrun schema [NAME]`

use clap::Args;

use crate::cli::args::LogArgs;
use crate::cli::failure::Failure;
use crate::cli::output::schema::{self, Schema};
use crate::cli::output::{machine, printer};

#[derive(Args, Debug)]
pub(crate) struct SchemaArgs {
    /// Report to print the schema of; without it, all are printed as one document
    #[arg(value_enum)]
    report: Option<Schema>,
    #[command(flatten)]
    pub(crate) log: LogArgs,
}

/// Prints the JSON Schema of a report, or of all.
pub(crate) fn main(args: &SchemaArgs) -> Result<u8, Failure> {
    printer::data(&machine::json(&schema::document(args.report), true))?;
    Ok(0)
}
