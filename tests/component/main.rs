//! Components: typed calls, programs, limits. They run on Wasmtime.
#![cfg(feature = "components")]

mod calls;
mod codec;
mod conversions;
mod facts;
mod features;
mod fixtures;
mod host_functions;
mod hostile;
mod limits;
mod malformed;
mod network;
mod program;
mod programs;
mod refusals;
mod resources;
mod sockets;
mod streams;
mod toolchains;
mod traps;
mod vocabulary;
mod wasi;
mod wasi_limits;
