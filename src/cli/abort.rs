//! The end of a process that aborts. Rust aborts if the system refuses memory, and in a few cases after a bug.
#![expect(unsafe_code, reason = "signal-hook marks handlers with an action of ours as unsafe")]

use std::os::fd::BorrowedFd;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use signal_hook::low_level;

use super::args::OutputFormat;
use super::exit_code;
use super::output::printer;

/// Describes the abort. Rust has printed the size of the memory before, or the panic.
pub(crate) const MESSAGE: &str = "wrun aborted: the system refused memory, or wrun has a bug";

// SAFETY: the standard library makes sure at the start that both are open, and wrun does not close them.
const STDOUT: BorrowedFd<'static> = unsafe { BorrowedFd::borrow_raw(libc::STDOUT_FILENO) };
// SAFETY: as above.
const STDERR: BorrowedFd<'static> = unsafe { BorrowedFd::borrow_raw(libc::STDERR_FILENO) };

/// The envelope for an abort, and its format.
static ENVELOPE: OnceLock<(Vec<u8>, OutputFormat)> = OnceLock::new();
/// Whether another envelope was printed.
static PRINTED: AtomicBool = AtomicBool::new(false);

/// Makes an abort end the process with a message, an envelope if [`set_envelope`] gave one, and exit code 125, not with a signal,
/// which a shell reports like a trap.
pub(crate) fn report() {
    let action = || {
        write_all(STDERR, &[b"error: ", MESSAGE.as_bytes(), b"\n"]);
        if let Some((envelope, format)) = ENVELOPE.get().filter(|_| !PRINTED.load(Ordering::SeqCst)) {
            let line_end: &[u8] = if printer::begins_new_line(*format) { b"\n" } else { b"" };
            write_all(STDOUT, &[line_end, envelope]);
        }
        low_level::exit(exit_code::INTERNAL.into());
    };
    // SAFETY: the action loads atomics, writes to file descriptors and waits for them, and ends the process with `_exit`; it neither
    // allocates nor locks.
    let _ = unsafe { low_level::register(libc::SIGABRT, action) };
}

/// Sets the envelope to print. It is encoded before memory runs out.
pub(crate) fn set_envelope(envelope: Vec<u8>, format: OutputFormat) {
    let _ = ENVELOPE.set((envelope, format));
}

/// Prints no envelope at an abort from now on, because another one is printed.
pub(crate) fn clear_envelope() {
    PRINTED.store(true, Ordering::SeqCst);
}

/// Writes without a buffer or a lock. Waits if the stream is full, even if it does not block.
fn write_all(stream: BorrowedFd<'_>, texts: &[&[u8]]) {
    for text in texts {
        let mut rest = *text;
        while !rest.is_empty() {
            match rustix::io::write(stream, rest) {
                Ok(written) => rest = &rest[written..],
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    let _ = poll(&mut [PollFd::from_borrowed_fd(stream, PollFlags::OUT)], None);
                }
                Err(_) => return,
            }
        }
    }
}
