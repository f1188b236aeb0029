//! The `wrun` command.

#![warn(clippy::unwrap_used)]

mod cli;

fn main() -> std::process::ExitCode {
    cli::signals::set_up();
    cli::abort::report();
    cli::start::main(std::env::args_os()).into()
}
