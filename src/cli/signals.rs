//! Signals as they were when the process started.
#![expect(unsafe_code, reason = "how a signal is handled is asked of libc")]

use std::ffi::c_int;
use std::mem::MaybeUninit;

/// Whether whoever started the process wants this signal ignored, as shells do for jobs in the background.
pub(crate) fn is_ignored(signal: c_int) -> bool {
    let mut action = MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: nothing is set, and the action is only read where the call has filled it in.
    unsafe {
        libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr()) == 0
            && action.assume_init().sa_sigaction == libc::SIG_IGN
    }
}
