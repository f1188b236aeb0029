//! Extism plug-ins behave the same on every engine and compiler.
#![cfg(any(feature = "wasmtime-runtime", feature = "wasmer-runtime"))]

#[path = "../behaviour/vocabulary.rs"]
#[expect(dead_code, reason = "only `tests/behaviour` uses all of it")]
mod behaviour;
mod calls;
mod floods;
mod hostile;
#[cfg(feature = "http")]
mod http;
mod initialize;
mod limits;
#[cfg(feature = "http")]
mod server;
mod user_functions;
mod vocabulary;
