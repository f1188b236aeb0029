//! How the process reacts to signals.
#![expect(unsafe_code, reason = "the standard library cannot read signal dispositions")]

use std::ffi::c_int;
use std::io;
use std::mem::MaybeUninit;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::low_level::{self, pipe};

use super::exit_code;

/// Whether SIGINT and SIGTERM end the process at once.
static END_AT_ONCE: AtomicBool = AtomicBool::new(true);

/// The last signal that [`catch`] caught, or 0.
static CAUGHT: AtomicUsize = AtomicUsize::new(0);

/// Sets up the signal handling of every command.
///
/// Nothing is installed for SIGINT and SIGTERM, whose default action ends the process, except in process 1 of a PID namespace
/// (a container): it has no default actions, so these signals make it exit with their exit codes.
pub(crate) fn set_up() {
    // A write beyond the file size limit fails, instead of ending the process.
    let _ = flag::register(libc::SIGXFSZ, Arc::default());
    if is_process_1() {
        for (signal, code) in [(SIGINT, exit_code::INTERRUPTED), (SIGTERM, exit_code::TERMINATED)] {
            if !is_ignored(signal) {
                let _ = flag::register_conditional_shutdown(signal, code.into(), &END_AT_ONCE);
            }
        }
    }
}

/// Makes SIGINT and SIGTERM write to `waker` instead of ending the process, until [`end_at_once`]. Signals that the parent
/// process ignored stay ignored.
///
/// # Errors
/// Those of installing a signal handler.
pub(crate) fn catch(waker: &UnixStream) -> io::Result<()> {
    for signal in [SIGINT, SIGTERM] {
        if is_ignored(signal) {
            continue;
        }
        // The order matters: a signal that wakes the reader must not end the process, and must already be in `CAUGHT`.
        if !is_process_1() {
            flag::register_conditional_default(signal, &END_AT_ONCE)?;
        }
        flag::register_usize(signal, &CAUGHT, usize::try_from(signal).unwrap_or_default())?;
        pipe::register(signal, waker.try_clone()?)?;
    }
    END_AT_ONCE.store(false, Ordering::SeqCst);
    Ok(())
}

/// Returns the last signal that [`catch`] caught.
pub(crate) fn caught() -> Option<c_int> {
    c_int::try_from(CAUGHT.load(Ordering::SeqCst)).ok().filter(|signal| *signal != 0)
}

/// Makes the next SIGINT or SIGTERM end the process at once.
pub(crate) fn end_at_once() {
    END_AT_ONCE.store(true, Ordering::SeqCst);
}

/// Ends the process by the default action of a signal, so that its parent sees the signal. Returns in process 1, which has no
/// default actions.
pub(crate) fn end_by(signal: c_int) {
    if !is_process_1() {
        let _ = low_level::emulate_default_handler(signal);
    }
}

fn is_process_1() -> bool {
    std::process::id() == 1
}

/// Returns whether the parent process had this signal ignored, as shells do for background jobs.
fn is_ignored(signal: c_int) -> bool {
    let mut action = MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: a null pointer sets no action, and `action` is read only if the call has initialized it.
    unsafe {
        libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr()) == 0
            && action.assume_init().sa_sigaction == libc::SIG_IGN
    }
}
