//! Whether guests left standard output in the middle of a line.

use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the last byte that a guest wrote to the standard output of the process was not a newline.
static STDOUT_IS_MID_LINE: AtomicBool = AtomicBool::new(false);

/// Returns whether guests with [`Output::Inherit`](crate::Output::Inherit) left the standard output of the process in the middle of a line.
#[must_use]
pub fn stdout_is_mid_line() -> bool {
    STDOUT_IS_MID_LINE.load(Ordering::Relaxed)
}

/// Records the bytes of a guest's write to the standard output of the process.
pub(crate) fn record_stdout(bytes: &[u8]) {
    if let Some(last) = bytes.last() {
        STDOUT_IS_MID_LINE.store(*last != b'\n', Ordering::Relaxed);
    }
}
