//! Conversion of Wasmtime's errors.

use wasmtime::{AsContextMut, GcHeapOutOfMemory, RootScope, ThrownException};

use super::limits::GuestData;
use super::offsets::backtrace;
use crate::error::{Error, ErrorKind, Result, Trap};
use crate::runtime::host::HostFailure;
use crate::runtime::interrupt::StopReason;

/// Converts a compilation error. The module or component is valid, so it hit a limit or a bug of the engine.
pub(super) fn compile(what: &str, error: &wasmtime::Error) -> Error {
    let what = format!("wasmtime cannot compile the {what}");
    Error::of_engine(ErrorKind::UnsupportedFeature, &what, &format!("{error:#}"))
}

/// Converts an instantiation error. Imports and limits are already checked, so anything but a trap means that the system
/// lacks resources.
pub(super) fn instantiate(store: impl AsContextMut<Data: GuestData>, error: wasmtime::Error) -> Error {
    convert_known(store, error).unwrap_or_else(|error| {
        Error::of_instantiation(ErrorKind::Io, "the module cannot be instantiated", &format!("{error:#}"))
    })
}

/// Converts the error of a call.
#[cold]
pub(super) fn call(mut store: impl AsContextMut<Data: GuestData>, error: wasmtime::Error) -> Error {
    convert_known(&mut store, error).unwrap_or_else(|error| {
        Error::trap(Trap::Other, Some(error.root_cause().to_string())).with_backtrace(backtrace(&store, &error))
    })
}

/// Converts a trap, a stop or the error of a host function; gives any other error back.
fn convert_known(
    mut store: impl AsContextMut<Data: GuestData>,
    error: wasmtime::Error,
) -> Result<Error, wasmtime::Error> {
    let backtrace = backtrace(&store, &error);
    if let Some(trap) = error.downcast_ref::<wasmtime::Trap>() {
        let (trap, detail) = convert_trap(*trap);
        return Ok(Error::trap(trap, detail).with_backtrace(backtrace));
    }
    if error.is::<ThrownException>() {
        // Take the exception out of the store, or the next call fails with it. The scope drops its root.
        RootScope::new(store.as_context_mut()).as_context_mut().take_pending_exception();
        return Ok(Error::trap(Trap::UncaughtException, None).with_backtrace(backtrace));
    }
    if error.is::<GcHeapOutOfMemory<()>>() {
        let detail = error.root_cause().to_string();
        return Ok(Error::trap(Trap::AllocationTooLarge, Some(detail)).with_backtrace(backtrace));
    }
    if let Some(stop) = error.downcast_ref::<StopReason>() {
        return Ok(stop.into_error().with_backtrace(backtrace));
    }
    if error.is::<HostFailure>() {
        return Ok(error.downcast::<HostFailure>()?.into_error().with_backtrace(backtrace));
    }
    Err(error)
}

fn convert_trap(trap: wasmtime::Trap) -> (Trap, Option<String>) {
    use wasmtime::Trap as EngineTrap;
    let converted = match trap {
        EngineTrap::StackOverflow => Trap::StackOverflow,
        EngineTrap::MemoryOutOfBounds => Trap::MemoryOutOfBounds,
        EngineTrap::HeapMisaligned => Trap::UnalignedAtomic,
        EngineTrap::TableOutOfBounds => Trap::TableOutOfBounds,
        EngineTrap::IndirectCallToNull => Trap::UninitializedElement,
        EngineTrap::BadSignature => Trap::IndirectCallTypeMismatch,
        EngineTrap::IntegerOverflow => Trap::IntegerOverflow,
        EngineTrap::IntegerDivisionByZero => Trap::IntegerDivideByZero,
        EngineTrap::BadConversionToInteger => Trap::InvalidConversionToInteger,
        EngineTrap::UnreachableCodeReached => Trap::Unreachable,
        EngineTrap::AtomicWaitNonSharedMemory => Trap::AtomicWaitNonSharedMemory,
        EngineTrap::NullReference => Trap::NullReference,
        EngineTrap::ArrayOutOfBounds => Trap::ArrayOutOfBounds,
        EngineTrap::CastFailure => Trap::CastFailure,
        EngineTrap::AllocationTooLarge => Trap::AllocationTooLarge,
        EngineTrap::UncaughtException => Trap::UncaughtException,
        other => return (Trap::Other, Some(other.to_string())),
    };
    (converted, None)
}
