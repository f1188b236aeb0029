//! WASI for both engines, implemented with wasmtime-wasi: preview 1 for modules, as host functions, and WASI 0.2 and 0.3 for
//! components. Also the imports of WASIX modules, which Wasmer implements.

mod builder;
mod clocks;
#[cfg(feature = "components")]
pub(crate) mod component;
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
mod yielding;

pub(crate) use provide::{create_instance, provide};
#[cfg(feature = "http")]
pub(crate) use waiter::Waiter;
