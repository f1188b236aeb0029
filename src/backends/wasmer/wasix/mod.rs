//! WASIX on Wasmer: wasmer-wasix, restricted to the granted capabilities.

mod calls;
mod corrections;
mod environment;
mod epoll;
mod errors;
mod fs;
mod imports;
mod network;
mod overrides;
mod poll;
mod process;
mod stdio;
mod system;
mod thread;
mod thread_group;

pub(super) use errors::convert_error;
pub(super) use process::Process;
