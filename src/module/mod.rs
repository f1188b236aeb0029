//! Modules as bytes and as facts, before and without any engine.

pub mod file;
pub(crate) mod hash;
pub mod info;
pub mod names;
pub mod needs;
pub(crate) mod pool;
pub mod source;
pub(crate) mod validation;
