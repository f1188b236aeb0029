//! Wasmtime's failures in the contract's words.

use wasmtime::{AsContextMut, GcHeapOutOfMemory, RootScope, ThrownException, WasmBacktrace};

use super::limits::StoreData;
use crate::error::{Error, ErrorKind, Frame, Result, Trap};
use crate::runtime::host::HostFailure;
use crate::runtime::interrupt::StopReason;

/// A failure of compilation: the module was valid, so the engine has a bound or a bug.
pub(super) fn compile(error: &wasmtime::Error) -> Error {
    Error::new(ErrorKind::UnsupportedFeature, format!("wasmtime cannot compile the module: {error:#}"))
}

/// A failure of instantiation: where it is no trap, the machine has no room, since imports and limits were checked.
pub(super) fn instantiate(store: impl AsContextMut<Data = StoreData>, error: wasmtime::Error) -> Error {
    classify(store, error).unwrap_or_else(|error| {
        Error::new(ErrorKind::Internal, format!("the module cannot be instantiated: {error:#}"))
    })
}

/// A failure of guest code.
#[cold]
pub(super) fn guest(store: impl AsContextMut<Data = StoreData>, error: wasmtime::Error) -> Error {
    let shift = store.as_context().data().code_shift;
    classify(store, error).unwrap_or_else(|error| {
        Error::trap(Trap::Other, Some(error.root_cause().to_string())).with_backtrace(frames(&error, shift))
    })
}

/// A trap, where the failure is one.
fn classify(mut store: impl AsContextMut<Data = StoreData>, error: wasmtime::Error) -> Result<Error, wasmtime::Error> {
    let shift = store.as_context().data().code_shift;
    let backtrace = frames(&error, shift);
    if let Some(trap) = error.downcast_ref::<wasmtime::Trap>() {
        let (trap, detail) = trap_code(*trap);
        return Ok(Error::trap(trap, detail).with_backtrace(backtrace));
    }
    if error.is::<ThrownException>() {
        // The exception stays pending in the store otherwise, and would meet the next call.
        // Its root goes with the scope.
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

fn trap_code(trap: wasmtime::Trap) -> (Trap, Option<String>) {
    use wasmtime::Trap as Theirs;
    let ours = match trap {
        Theirs::StackOverflow => Trap::StackOverflow,
        Theirs::MemoryOutOfBounds => Trap::MemoryOutOfBounds,
        Theirs::HeapMisaligned => Trap::UnalignedAtomic,
        Theirs::TableOutOfBounds => Trap::TableOutOfBounds,
        Theirs::IndirectCallToNull => Trap::UninitializedElement,
        Theirs::BadSignature => Trap::IndirectCallTypeMismatch,
        Theirs::IntegerOverflow => Trap::IntegerOverflow,
        Theirs::IntegerDivisionByZero => Trap::IntegerDivideByZero,
        Theirs::BadConversionToInteger => Trap::InvalidConversionToInteger,
        Theirs::UnreachableCodeReached => Trap::Unreachable,
        Theirs::AtomicWaitNonSharedMemory => Trap::AtomicWaitNonSharedMemory,
        Theirs::NullReference => Trap::NullReference,
        Theirs::ArrayOutOfBounds => Trap::ArrayOutOfBounds,
        Theirs::CastFailure => Trap::CastFailure,
        Theirs::AllocationTooLarge => Trap::AllocationTooLarge,
        Theirs::UncaughtException => Trap::UncaughtException,
        other => return (Trap::Other, Some(other.to_string())),
    };
    (ours, None)
}

fn frames(error: &wasmtime::Error, shift: i64) -> Vec<Frame> {
    let frame = |frame: &wasmtime::FrameInfo| {
        let offset = frame.module_offset().map(|offset| (offset as u64).wrapping_add_signed(-shift));
        Frame::new(frame.func_index(), frame.func_name().map(str::to_owned), offset)
    };
    let known = error.downcast_ref::<WasmBacktrace>().map(WasmBacktrace::frames).unwrap_or_default();
    known.iter().take(Frame::MOST).map(frame).collect()
}
