//! WASI preview 1: the same programs with the same grants behave the same on every engine and compiler.
#![cfg(any(feature = "wasmtime-runtime", feature = "wasmer-runtime"))]

mod arguments;
mod conformance;
mod descriptors;
mod dir_tree;
mod escapes;
mod guest;
mod large_calls;
mod layout;
#[cfg(target_os = "linux")]
mod linux;
mod path_calls;
mod slashes;
mod toolchains;
