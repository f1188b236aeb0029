//! WASI preview 1 for both engines, implemented with wasmtime-wasi and exposed to guests as host functions, and the imports
//! of WASIX modules, which Wasmer implements.

mod clocks;
mod function;
pub(crate) mod listings;
mod open;
mod output;
mod paths;
mod poll;
mod preview1;
mod provide;
mod random;
mod readdir;
mod state;
mod stdio;
mod vectors;
mod waiter;
mod wasix;

pub(crate) use provide::{create_instance, provide};
