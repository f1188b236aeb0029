//! The command line of wrun.

#![warn(clippy::unwrap_used)]
#![cfg_attr(all(target_os = "linux", target_env = "gnu", not(test)), no_main)]

#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod allocator;
mod cli;
#[cfg(all(target_os = "linux", target_env = "gnu", not(test)))]
mod entry;
#[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
mod prefault;

#[cfg(not(all(target_os = "linux", target_env = "gnu", not(test))))]
fn main() -> std::process::ExitCode {
    cli::start::main(std::env::args_os()).into()
}
