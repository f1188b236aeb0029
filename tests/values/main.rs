//! Values as text, JSON and MessagePack: each codec reads back what it wrote to the same bits, alone and through a guest
//! on every engine. Tables list the accepted and the refused input.
#![cfg(any(feature = "wasmtime-runtime", feature = "wasmer-runtime"))]
#![expect(clippy::unwrap_used, reason = "a helper fails like the test that calls it")]

mod any;
mod codecs;
mod engines;
mod fuzz;
mod json;
mod msgpack;
mod text;
