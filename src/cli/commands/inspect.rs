//! `wrun inspect MODULE`

use crate::cli::args::{InspectArgs, OutputFormat};
use crate::cli::failure::Failure;
use crate::cli::report::inspect::{self, Inspection};
use crate::cli::report::machine;
use crate::cli::{argv, input, printer};

/// Prints what a module is and needs; no engine is started.
pub(crate) fn main(args: &InspectArgs) -> Result<u8, Failure> {
    let module = argv::path(args.module.clone());
    let opened = input::module(&module)?;
    let bytes = opened.bytes().map_err(|error| Failure::module(&module, &error))?;
    let inspection = Inspection::of(&module, bytes)?;
    let shown = match args.output {
        OutputFormat::Text => inspect::text(&inspection).into_bytes(),
        OutputFormat::Json => machine::json(&inspection, args.pretty),
        OutputFormat::Msgpack => machine::msgpack(&inspection),
    };
    printer::data(&shown)?;
    Ok(0)
}
