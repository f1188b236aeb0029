//! The conventions, and the options of a call that uses one.

use strum::{Display, EnumString, VariantNames};

/// A convention by which text or bytes pass through a module.
#[derive(Clone, Copy, Debug, Display, EnumString, VariantNames, PartialEq, Eq)]
#[strum(serialize_all = "snake_case")]
#[non_exhaustive]
pub enum Abi {
    /// The argument is written to memory that the guest allocates, and passed as (pointer, length). The result is an `i64`
    /// with the pointer in its upper and the length in its lower half, or (pointer, length) as two results.
    Packed,
    /// Each string argument is written to memory that the guest allocates, with a NUL byte at its end, and passed as a pointer.
    /// Numbers pass as they are. An `i32` result (`i64` with a 64-bit memory) is a pointer to a string that ends with a NUL byte.
    Cstr,
    /// The argument is the program's standard input, and the result is its standard output. Each call has its own
    /// instance.
    Stdio,
    /// An Extism plug-in.
    Extism,
}

/// How JSON and MessagePack represent the text or bytes of arguments and results.
#[derive(Clone, Copy, Debug, Default, Display, EnumString, VariantNames, PartialEq, Eq)]
#[strum(serialize_all = "snake_case")]
#[non_exhaustive]
pub enum Payload {
    /// A string.
    #[default]
    Text,
    /// Any value: the guest reads and writes JSON.
    Json,
    /// `{"base64": "…"}` in JSON, binary data in MessagePack.
    Bytes,
}

/// How text or bytes pass through a module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TextOptions {
    /// The convention. `None` calls functions with numbers, except those of an Extism plug-in.
    pub abi: Option<Abi>,
    /// What arguments and results are.
    pub payload: Payload,
    /// The export that allocates memory. `None` looks for the usual names.
    pub alloc: Option<String>,
    /// The export that frees memory. `None` looks for the usual names; an empty name frees nothing.
    pub free: Option<String>,
}
