//! The cache: cached code behaves like compiled code on every engine and compiler, changed entries are never run, and
//! no state of the folder makes a call fail.
#![cfg(all(unix, any(feature = "wasmtime-runtime", feature = "wasmer-runtime")))]

mod bound;
mod damage;
mod fixtures;
mod hits;
mod permissions;
mod session;
mod together;
mod vocabulary;
