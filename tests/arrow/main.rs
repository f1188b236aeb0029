//! Arrow IPC streams as the records and results of batches, on every engine and compiler.
#![cfg(any(feature = "wasmtime-runtime", feature = "wasmer-runtime"))]

#[cfg(feature = "components")]
mod components;
mod damaged;
mod modules;
mod rows;
mod streams;
mod vocabulary;
