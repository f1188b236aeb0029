//! WASI preview 1 for every engine: one implementation, wasmtime-wasi's, given to guests as host functions. And what a
//! guest of WASIX imports, which one engine has of its own.

mod clocks;
mod output;
mod poll;
mod preview1;
mod state;
mod wasix;

pub(crate) use preview1::provide;
