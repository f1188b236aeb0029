//! `wrun engines`

use crate::cli::args::{EnginesArgs, TableFormat};
use crate::cli::failure::Failure;
use crate::cli::output::{engines, machine};
use crate::cli::printer;

/// Prints what each engine is and can do.
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
