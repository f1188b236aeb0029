//! WASIX on Wasmer: its own implementation, held to what was granted.

mod environment;
mod errors;
mod file;
mod files;
mod folder;
mod mounts;
mod names;
mod network;
mod outcome;
mod process;
mod replaced;
mod stat;
mod stdin;
mod stdio;
mod system;
mod thread;
mod thread_group;

pub(super) use outcome::of_error;
pub(super) use process::Process;
