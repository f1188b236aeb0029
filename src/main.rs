//! The `wrun` command.

#![warn(clippy::unwrap_used)]

mod cli;

fn main() -> std::process::ExitCode {
    cli::signals::survive_file_size_limit();
    cli::start::main(std::env::args_os()).into()
}
