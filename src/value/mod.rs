//! WebAssembly values, and their three formats for every engine: text, JSON and MessagePack.

pub(crate) mod any;
pub mod args;
pub mod base64;
pub mod json;
mod json_args;
mod json_integers;
pub(crate) mod json_text;
pub mod msgpack;
#[cfg(any(feature = "wasmtime-runtime", feature = "wasmer-runtime"))]
pub(crate) mod number;
pub mod serial;
pub mod text;
pub mod typed;
pub mod types;
