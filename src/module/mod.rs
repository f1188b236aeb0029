//! Modules as bytes and as facts, before any engine sees them.

pub mod file;
pub(crate) mod floats;
pub(crate) mod hash;
pub mod info;
pub(crate) mod parse;
pub(crate) mod read_at;
pub mod requirements;
pub mod source;
pub(crate) mod threads;
pub(crate) mod validation;
