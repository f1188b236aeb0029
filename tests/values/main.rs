//! Values and their three spellings: whatever is written is read back to the same bits, alone and through a guest on
//! every engine; and a table of what is taken and what is refused.
#![cfg(any(feature = "wasmtime-runtime", feature = "wasmer-runtime"))]
#![expect(clippy::unwrap_used, reason = "the words of a test fail where they stand, as the tests themselves do")]

mod any;
mod codecs;
mod engines;
mod fuzz;
mod json;
mod msgpack;
mod text;
