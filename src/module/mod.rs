//! Modules as bytes and as facts, before and without any engine.

pub mod escape;
pub mod file;
pub(crate) mod hash;
pub mod info;
pub(crate) mod pool;
pub mod requirements;
pub mod source;
pub(crate) mod validation;
