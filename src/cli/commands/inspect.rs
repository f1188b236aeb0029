//! `wrun inspect MODULE`

use crate::cli::args::InspectArgs;
use crate::cli::failure::Failure;
use crate::cli::output::inspect::{self, Inspection};
use crate::cli::output::machine;
use crate::cli::{argv, input, printer};

/// Prints what a module is and needs; no engine is started.
pub(crate) fn main(args: &InspectArgs) -> Result<u8, Failure> {
    let module = argv::path(args.module.clone());
    let opened = input::module(&module)?;
    let bytes = opened.bytes().map_err(|error| Failure::module(&module, &error))?;
    let inspection = Inspection::of(&module, bytes)?;
    printer::data(&machine::shown(&inspection, args.report, inspect::text))?;
    Ok(0)
}
