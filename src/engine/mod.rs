//! The engines and compilers by name, the WebAssembly features each supports, and the limits each enforces.

pub mod enforcement;
pub mod features;
pub mod kind;
