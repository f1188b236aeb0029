//! Components: typed calls, programs, limits. They run on Wasmtime.
#![cfg(feature = "components")]

mod calls;
mod codec;
mod conversions;
mod facts;
mod features;
mod fixtures;
mod floods;
mod fuel;
mod fuzz;
mod host_functions;
mod hostile;
mod hostile_resources;
mod hostile_tasks;
#[cfg(feature = "http")]
mod http;
mod limits;
mod malformed;
mod network;
mod program;
mod programs;
mod refusals;
mod resources;
#[cfg(feature = "http")]
#[path = "../extism/server.rs"]
#[expect(dead_code, reason = "only `tests/extism` uses all of it")]
mod server;
mod sockets;
mod streams;
mod toolchains;
mod traps;
mod vocabulary;
mod wasi;
mod wasi_floods;
mod wasi_limits;
mod worker;
