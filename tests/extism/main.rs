//! Extism plug-ins behave the same on every engine and compiler.
#![cfg(any(feature = "wasmtime-runtime", feature = "wasmer-runtime"))]

mod calls;
mod floods;
mod hostile;
mod initialize;
mod limits;
mod user_functions;
mod vocabulary;
