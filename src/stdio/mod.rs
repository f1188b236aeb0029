//! The standard streams of the process, without a buffer for input, and also if another process made them non-blocking.

mod blocking;
pub(crate) mod input;

pub use blocking::Blocking;
