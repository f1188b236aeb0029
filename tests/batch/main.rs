//! Batches: records in, results out, on every engine and compiler, and a model of the pipeline between them.
//!
//! `model.rs` compiles the pipeline with the locks and threads of shuttle, which runs each case in many thread interleavings
//! and reports deadlocks.
#![cfg(any(feature = "wasmtime-runtime", feature = "wasmer-runtime"))]

mod model;
mod pipeline;
mod sync;
