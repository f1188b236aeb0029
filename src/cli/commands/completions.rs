//! `wrun completions SHELL`

use clap::{Args, Command};
use clap_complete::Shell;

use crate::cli::args::LogArgs;
use crate::cli::failure::Failure;
use crate::cli::output::printer;

#[derive(Args, Debug)]
pub(crate) struct CompletionsArgs {
    /// Shell to print the script for
    pub(crate) shell: Shell,
    #[command(flatten)]
    pub(crate) log: LogArgs,
}

/// Prints the completion script of `wrun` for a shell. The directory `completions/` has these scripts.
pub(crate) fn main(args: &CompletionsArgs, wrun: &mut Command) -> Result<u8, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, wrun, "wrun", &mut script);
    printer::data(&script)?;
    Ok(0)
}
