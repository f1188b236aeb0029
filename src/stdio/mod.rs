//! The standard streams of the process: unbuffered input, and blocking access even if another process made them non-blocking.

mod blocking;
mod hook;
pub(crate) mod input;
mod mid_line;

pub use blocking::Blocking;
pub use hook::{StandardStream, WriteHook, set_write_hook};
pub(crate) use mid_line::record_stdout;
pub use mid_line::stdout_is_mid_line;
