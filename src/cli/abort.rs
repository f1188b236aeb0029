//! Aborts of the process. Rust aborts if an allocation fails, and after some bugs.
#![expect(unsafe_code, reason = "registering a custom signal handler with signal-hook is unsafe")]

use std::os::fd::BorrowedFd;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use signal_hook::low_level;

use super::args::OutputFormat;
use super::exit_code;
use super::output::printer;

/// Describes the abort. Rust has already printed the size of the allocation, or the panic.
pub(crate) const MESSAGE: &str = "wrun aborted: the system refused memory, or wrun has a bug";

// SAFETY: the standard library opens both at start-up if they are closed, and wrun does not close them.
const STDOUT: BorrowedFd<'static> = unsafe { BorrowedFd::borrow_raw(libc::STDOUT_FILENO) };
// SAFETY: as above.
const STDERR: BorrowedFd<'static> = unsafe { BorrowedFd::borrow_raw(libc::STDERR_FILENO) };

/// The envelope for an abort, and its format.
static ENVELOPE: OnceLock<(Vec<u8>, OutputFormat)> = OnceLock::new();
/// Whether another envelope was printed.
static PRINTED: AtomicBool = AtomicBool::new(false);

/// Makes an abort exit with code 125, a message and the envelope from [`set_envelope`], if any, instead of a signal, which a
/// shell reports like a trap.
pub(crate) fn report() {
    let action = || {
        write_all(STDERR, &[b"error: ", MESSAGE.as_bytes(), b"\n"]);
        if let Some((envelope, format)) = ENVELOPE.get().filter(|_| !PRINTED.load(Ordering::SeqCst)) {
            let line_end: &[u8] = if printer::begins_new_line(*format) { b"\n" } else { b"" };
            write_all(STDOUT, &[line_end, envelope]);
        }
        low_level::exit(exit_code::INTERNAL.into());
    };
    // SAFETY: the action loads atomics, writes to file descriptors and waits for them, and ends the process with `_exit`; it
    // neither allocates nor locks.
    let _ = unsafe { low_level::register(libc::SIGABRT, action) };
}

/// Sets the envelope to print. It is encoded now, because an abort may mean that there is no memory.
pub(crate) fn set_envelope(envelope: Vec<u8>, format: OutputFormat) {
    let _ = ENVELOPE.set((envelope, format));
}

/// Prevents a second envelope at an abort, because the command prints its own.
pub(crate) fn clear_envelope() {
    PRINTED.store(true, Ordering::SeqCst);
}

/// Writes without a buffer or a lock. Waits if the stream is full, even if it is non-blocking.
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
