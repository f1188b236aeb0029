//! `wrun completions SHELL`

use clap::CommandFactory;

use crate::cli::args::{Cli, CompletionsArgs};
use crate::cli::failure::Failure;
use crate::cli::printer;

/// Prints the completion script of a shell; the files in `completions/` are these.
pub(crate) fn main(args: &CompletionsArgs) -> Result<u8, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "wrun", &mut script);
    printer::data(&script)?;
    Ok(0)
}
