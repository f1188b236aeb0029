//! What an embedder sees of the engines through the library: the same on every engine and compiler compiled in.
//!
//! Each case is a sentence in the words of `vocabulary.rs` and runs everywhere. Where an engine lacks what a case is
//! about, the case asserts the refusal instead: its kind, what it names, and the engine its hint points to.
#![cfg(any(feature = "wasmtime-runtime", feature = "wasmer-runtime"))]
#![expect(clippy::unwrap_used, reason = "the words of a test fail where they stand, as the tests themselves do")]

mod async_call;
mod calls;
mod config;
mod control;
mod crashes;
mod denied_growth;
mod exit;
mod facts;
mod features;
mod grants;
mod handles;
mod host_functions;
mod imports;
mod instantiation;
mod invalid;
mod limits;
mod limits_of_all;
mod memory;
mod metrics;
mod nested;
mod pause;
mod references;
mod session;
mod shutdown;
mod stack;
mod stopping;
mod threads;
mod time;
mod time_and_fuel;
mod traps;
mod values;
mod vocabulary;
