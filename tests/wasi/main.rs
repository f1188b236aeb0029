//! WASI preview 1: the same programs with the same grants behave the same on every engine and compiler.
#![cfg(any(feature = "wasmtime-runtime", feature = "wasmer-runtime"))]
#![expect(clippy::unwrap_used, reason = "test helpers fail at once, as tests do")]

mod conformance;
mod dir_tree;
mod escapes;
mod guest;
mod layout;
mod path_calls;
mod slashes;
mod toolchains;
