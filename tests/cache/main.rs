//! The cache: code that comes back does what freshly compiled code does, on every engine and compiler; nothing that lies in
//! the folder is run that is not to the byte what was written there; and nothing about the folder makes a call fail.
#![cfg(all(unix, any(feature = "wasmtime-runtime", feature = "wasmer-runtime")))]
#![expect(clippy::unwrap_used, reason = "the words of a test fail where they stand, as the tests themselves do")]

mod bound;
mod damage;
mod fixtures;
mod hits;
mod permissions;
mod session;
mod together;
mod vocabulary;
