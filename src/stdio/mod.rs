//! The standard streams of the process: unbuffered input, and blocking access even if another process made them non-blocking.

mod blocking;
pub(crate) mod input;

pub use blocking::Blocking;
