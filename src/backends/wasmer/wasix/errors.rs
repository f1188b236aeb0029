//! Converts the errors and panics of WASIX.

use std::any::Any;

use wasmer::RuntimeError;
use wasmer_wasix::WasiError;

use crate::error::{Error, Trap};

/// Converts an error of WASIX.
///
/// # Errors
/// Returns any other error unchanged.
pub(in crate::backends::wasmer) fn convert_error(error: RuntimeError) -> Result<Error, RuntimeError> {
    Ok(match error.downcast::<WasiError>()? {
        WasiError::Exit(code) => Error::exited(code.raw()),
        // The end of the main thread ends the program.
        WasiError::ThreadExit => Error::exited(0),
        other => Error::trap(Trap::Other, Some(other.to_string())),
    })
}

/// Returns whether a thread called `thread_exit`.
pub(super) fn is_thread_exit(error: &RuntimeError) -> bool {
    matches!(error.downcast_ref(), Some(WasiError::ThreadExit))
}

/// Adds the thread to the message of a trap.
pub(super) fn in_thread(error: Error, thread: u32) -> Error {
    let Some(trap) = error.trap_code() else { return error };
    let place = format!("in thread {thread}");
    let detail = match error.message().strip_prefix(&format!("{trap}: ")) {
        Some(detail) => format!("{detail}, {place}"),
        None => place,
    };
    let located = Error::trap(trap, Some(detail)).with_backtrace_of(&error);
    match error.limit_exceeded() {
        Some(denied) => located.with_limit(denied),
        None => located,
    }
}

/// Converts a panic of WASIX or of a host function.
pub(super) fn panicked(panic: &(dyn Any + Send)) -> Error {
    Error::of_panic("host call panicked", panic)
}
