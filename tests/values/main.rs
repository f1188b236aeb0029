//! Values as text, JSON and MessagePack: each codec reads its own output back bit for bit, and so does a guest on every
//! engine. Tables list the accepted and the refused input.
#![cfg(any(feature = "wasmtime-runtime", feature = "wasmer-runtime"))]

mod any;
mod codecs;
mod engines;
mod fuzz;
mod json;
mod msgpack;
mod text;
