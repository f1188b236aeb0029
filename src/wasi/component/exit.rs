//! Ends of a program that are not failures.

use wasmtime_wasi::I32Exit;

use crate::wasi::output::BrokenPipe;

/// Returns the exit code of a component that ended itself with `wasi:cli/exit`, or that wrote to a standard output which is a
/// broken pipe: it then ends with 0. Returns `None` for any other error.
pub(crate) fn exit_code(error: &wasmtime::Error) -> Option<i32> {
    match error.downcast_ref() {
        Some(I32Exit(code)) => Some(*code),
        None => error.is::<BrokenPipe>().then_some(0),
    }
}
