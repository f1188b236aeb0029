//! The command line of wrun.

#![warn(clippy::unwrap_used)]

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::start::main(std::env::args_os())
}
