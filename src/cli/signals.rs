//! How the process reacts to signals.
#![expect(unsafe_code, reason = "the standard library cannot read signal dispositions")]

use std::ffi::c_int;
use std::mem::MaybeUninit;
use std::sync::Arc;

use signal_hook::flag;

/// Makes a write beyond the file size limit fail, instead of ending the process.
pub(crate) fn survive_file_size_limit() {
    let _ = flag::register(libc::SIGXFSZ, Arc::default());
}

/// Returns whether the parent process had this signal ignored, as shells do for background jobs.
pub(crate) fn is_ignored(signal: c_int) -> bool {
    let mut action = MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: a null pointer sets no action, and `action` is read only if the call has initialized it.
    unsafe {
        libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr()) == 0
            && action.assume_init().sa_sigaction == libc::SIG_IGN
    }
}
