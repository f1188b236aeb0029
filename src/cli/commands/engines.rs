//! `wrun engines`

use clap::{Args, ValueEnum};

use crate::cli::args::LogArgs;
use crate::cli::failure::Failure;
use crate::cli::output::{engines, machine, printer};

#[derive(Args, Debug)]
pub(crate) struct EnginesArgs {
    /// Format of the table
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t)]
    output: TableFormat,
    /// Indent JSON
    #[arg(long)]
    pretty: bool,
    #[command(flatten)]
    pub(crate) log: LogArgs,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum TableFormat {
    #[default]
    Text,
    Json,
    Msgpack,
    Markdown,
}

/// Prints the engines and their features.
pub(crate) fn main(args: &EnginesArgs) -> Result<u8, Failure> {
    let bytes = match args.output {
        TableFormat::Text => engines::text().into_bytes(),
        TableFormat::Markdown => engines::markdown().into_bytes(),
        TableFormat::Json => machine::json(&engines::all(), args.pretty),
        TableFormat::Msgpack => machine::msgpack(&engines::all()),
    };
    printer::data(&bytes)?;
    Ok(0)
}
