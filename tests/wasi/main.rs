//! WASI preview 1: the same programs, with the same grants, do the same on every engine and compiler.
#![cfg(any(feature = "wasmtime-runtime", feature = "wasmer-runtime"))]
#![expect(clippy::unwrap_used, reason = "the words of a test fail where they stand, as the tests themselves do")]

mod conformance;
mod escapes;
mod folder;
mod guest;
mod toolchains;
