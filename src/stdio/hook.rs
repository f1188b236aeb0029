//! A hook for writes to the standard output and error of the process.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::sync::OnceLock;

/// A standard stream that is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StandardStream {
    /// Standard output.
    Output,
    /// Standard error.
    Error,
}

/// Called for each write of these bytes. It must call the function exactly once and return its result. The function may write only
/// the first bytes.
pub type WriteHook = fn(StandardStream, &[u8], &mut dyn FnMut() -> io::Result<usize>) -> io::Result<usize>;

static HOOK: OnceLock<WriteHook> = OnceLock::new();

/// Sets the hook around the writes of all guests, and of [`Blocking`](super::Blocking), to standard output and error. A program
/// that draws progress on the terminal can clear it first. Only the first hook counts.
pub fn set_write_hook(hook: WriteHook) {
    // A second hook is ignored.
    let _ = HOOK.set(hook);
}

/// Writes to a file descriptor, with the hook if there is one and this is a standard stream.
pub(super) fn write(
    fd: BorrowedFd<'_>,
    bytes: &[u8],
    mut write: impl FnMut() -> io::Result<usize>,
) -> io::Result<usize> {
    let Some(hook) = HOOK.get() else { return write() };
    match fd.as_raw_fd() {
        1 => hook(StandardStream::Output, bytes, &mut write),
        2 => hook(StandardStream::Error, bytes, &mut write),
        _ => write(),
    }
}
