//! The standard streams of the process: unbuffered input, and blocking access even if another process made them non-blocking.

mod blocking;
mod hook;
pub(crate) mod input;

pub use blocking::Blocking;
pub use hook::{StandardStream, WriteHook, set_write_hook};
