//! Batches: records in, results out, on every engine and compiler, and a model of the pipeline between them.
//!
//! `model.rs` compiles the pipeline with the locks and threads of shuttle, which runs each case in many thread interleavings
//! and reports deadlocks. The other cases run whole batches.
#![cfg(any(feature = "wasmtime-runtime", feature = "wasmer-runtime"))]

mod actions;
mod bounds;
mod component_formats;
mod csv_columns;
mod ends;
mod failures;
mod formats;
mod latency;
mod map;
mod model;
mod pipeline;
mod random;
mod report;
mod rows;
mod splits;
mod sync;
mod vocabulary;
