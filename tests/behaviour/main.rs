//! The behaviour of the library is the same on every engine and compiler.
//!
//! Each case runs on all engines that are compiled in, with the helpers of `vocabulary.rs`. If an engine lacks a
//! feature, the case asserts the refusal instead: its kind, the names in its message, and the engine in its hint.
#![cfg(any(feature = "wasmtime-runtime", feature = "wasmer-runtime"))]

mod async_call;
mod backtraces;
mod calls;
mod config;
mod control;
mod crashes;
mod denied_growth;
mod driven;
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
mod pooled;
mod references;
mod session;
mod shutdown;
mod stack;
mod stopping;
mod text;
mod text_hostile;
mod text_worker;
mod threads;
mod time;
mod time_and_fuel;
mod traps;
mod values;
mod vocabulary;
mod worker;
