//! The cache: cached code behaves like freshly compiled code on every engine and compiler, damaged entries are never run, and
//! nothing about the folder makes a call fail.
#![cfg(all(unix, any(feature = "wasmtime-runtime", feature = "wasmer-runtime")))]

mod bound;
#[cfg(feature = "components")]
mod components;
mod damage;
mod fixtures;
mod hits;
mod permissions;
mod session;
mod together;
mod vocabulary;
