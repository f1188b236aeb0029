//! How WASIX leaves a guest, in the contract's words.

use wasmer::RuntimeError;
use wasmer_wasix::WasiError;

use crate::error::{Error, Trap};

/// What a failure of WASIX comes to; any other is given back.
pub(in crate::backends::wasmer) fn of_error(error: RuntimeError) -> Result<Error, RuntimeError> {
    Ok(match error.downcast::<WasiError>()? {
        WasiError::Exit(code) => Error::exited(code.raw()),
        // The thread that the program began in takes the program with it.
        WasiError::ThreadExit => Error::exited(0),
        other => Error::trap(Trap::Other, Some(other.to_string())),
    })
}

/// Whether a thread ended itself.
pub(super) fn is_thread_exit(error: &RuntimeError) -> bool {
    matches!(error.downcast_ref(), Some(WasiError::ThreadExit))
}

/// A trap, with the thread that it was in.
pub(super) fn in_thread(error: Error, thread: u32) -> Error {
    let Some(trap) = error.trap_code() else { return error };
    let place = format!("in thread {thread}");
    let detail = match error.message().strip_prefix(&format!("{trap}: ")) {
        Some(detail) => format!("{detail}, {place}"),
        None => place,
    };
    let told = Error::trap(trap, Some(detail)).with_backtrace(error.backtrace().to_vec());
    match error.limit_exceeded() {
        Some(denied) => told.after_denied_growth(denied),
        None => told,
    }
}
