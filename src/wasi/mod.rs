//! WASI preview 1 for every engine: one implementation, wasmtime-wasi's, given to guests as host functions.

mod clocks;
mod poll;
mod preview1;
mod world;

pub(crate) use preview1::provide;
