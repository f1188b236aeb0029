//! Errors of components.

use wasmtime::{GcHeapOutOfMemory, Store, ThrownException, Trap, WasmBacktrace};

use super::data::ComponentData;
use crate::error::{Error, ErrorKind, Result};
use crate::runtime::host::HostFailure;
use crate::runtime::interrupt::StopReason;
use crate::runtime::status::InstanceStatus;
use crate::wasi::component::exit_code;

/// The engine's text for a store with too many instances, memories or tables.
const TOO_MANY: &str = "resource limit exceeded";

/// Converts an instantiation error that no guest code caused. Imports are already checked, so the component exceeds a limit
/// or the system lacks resources.
pub(super) fn instantiate(store: &Store<ComponentData>, error: &wasmtime::Error) -> Error {
    if let Some(denied) = store.data().guest.status.denied() {
        return Error::new(ErrorKind::Limit, format!("the component {denied}")).with_limit(denied);
    }
    let text = format!("{error:#}");
    let kind = if text.contains(TOO_MANY) { ErrorKind::Limit } else { ErrorKind::Io };
    Error::of_instantiation(kind, "the component cannot be instantiated", &text)
}

/// Returns whether guest code, or a host function that it called, caused the error.
pub(super) fn is_of_guest(error: &wasmtime::Error) -> bool {
    error.is::<Trap>()
        || error.is::<ThrownException>()
        || error.is::<GcHeapOutOfMemory<()>>()
        || error.is::<StopReason>()
        || error.is::<HostFailure>()
        || error.is::<WasmBacktrace>()
        || exit_code(error).is_some()
}

/// How the engine's errors for values that cannot be read from a component begin.
const INVALID_VALUE: &[&str] = &[
    "string pointer",
    "list pointer",
    "map pointer",
    "return pointer not aligned",
    "pointer out of bounds",
    "discriminant ",
    "byte length",
];

/// Names the result as the cause of an error, if no guest code was running: then the engine was reading the result.
pub(super) fn of_call(error: wasmtime::Error) -> wasmtime::Error {
    if error.is::<WasmBacktrace>() {
        return error;
    }
    let text = error.root_cause().to_string();
    let is_invalid = error.is::<std::str::Utf8Error>()
        || error.is::<std::char::CharTryFromError>()
        || INVALID_VALUE.iter().any(|start| text.starts_with(start));
    if is_invalid { wasmtime::format_err!("the component returned an invalid value: {text}") } else { error }
}

/// Runs a call, and explains why an instance refuses it after a trap.
pub(super) fn run<T>(status: &InstanceStatus, call: impl FnOnce() -> Result<T>) -> Result<T> {
    status.run(call).map_err(|error| if error.kind() == ErrorKind::Crashed { refused(error) } else { error })
}

#[cold]
fn refused(error: Error) -> Error {
    if error.hints().is_empty() {
        return error;
    }
    let message = "the instance takes no further calls: it trapped, ran out of fuel or was stopped earlier, and a component \
                   cannot be entered again after that";
    Error::new(ErrorKind::Crashed, message).with_hint("create a new instance")
}
