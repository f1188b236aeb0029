//! Conversion of Wasmer's errors.

use wasmer::sys::vm::TrapCode;
use wasmer::{CompileError, InstantiationError, LinkError, RuntimeError};

use super::wasix;
use crate::error::{Error, ErrorKind, Trap};
use crate::runtime::host::HostFailure;
use crate::runtime::interrupt::StopReason;

/// Wasmer's error text if it cannot allocate the guest's stack.
const NO_STACK: &str = "Wasmer VM out of memory";

/// The beginning of Wasmer's error text if it has no tables of a type.
const NO_TABLE: &str = "tables of types other than";

/// Converts a compilation error. The module is valid, so it hit a limit or a bug of the engine.
pub(super) fn compile(error: &CompileError) -> Error {
    Error::of_engine(ErrorKind::UnsupportedFeature, "wasmer cannot compile the module", &error.to_string())
}

/// Converts an instantiation error. Imports and limits are already checked, so anything but a trap means that the system
/// lacks resources.
pub(super) fn instantiate(error: InstantiationError) -> Error {
    match error {
        InstantiationError::Link(LinkError::Trap(error)) | InstantiationError::Start(error) => call(error),
        InstantiationError::Link(LinkError::Resource(text)) if text.starts_with(NO_TABLE) => {
            Error::of_instantiation(ErrorKind::UnsupportedFeature, "wasmer cannot create a table", &text)
        }
        other => Error::of_instantiation(ErrorKind::Io, "the module cannot be instantiated", &other.to_string()),
    }
}

/// Converts the error of a call, without its backtrace ([`Offsets::backtrace`](super::offsets::Offsets::backtrace)).
#[cold]
pub(super) fn call(error: RuntimeError) -> Error {
    if let Some(code) = error.clone().to_trap() {
        convert_trap(code)
    } else if error.is_exception() {
        Error::trap(Trap::UncaughtException, None)
    } else {
        match error.downcast::<HostFailure>().map_err(RuntimeError::downcast::<StopReason>) {
            Ok(failure) => failure.into_error(),
            Err(Ok(stop)) => stop.into_error(),
            Err(Err(error)) => wasix::convert_error(error).unwrap_or_else(|error| match error.message() {
                text if text == NO_STACK => {
                    Error::of_engine(ErrorKind::Io, "cannot allocate a stack for the guest", &text)
                }
                text => Error::trap(Trap::Other, Some(text)),
            }),
        }
    }
}

fn convert_trap(code: TrapCode) -> Error {
    let trap = match code {
        TrapCode::StackOverflow => Trap::StackOverflow,
        TrapCode::HeapAccessOutOfBounds => Trap::MemoryOutOfBounds,
        TrapCode::HeapMisaligned | TrapCode::UnalignedAtomic => Trap::UnalignedAtomic,
        TrapCode::TableAccessOutOfBounds => Trap::TableOutOfBounds,
        TrapCode::IndirectCallToNull => Trap::UninitializedElement,
        TrapCode::BadSignature => Trap::IndirectCallTypeMismatch,
        TrapCode::IntegerOverflow => Trap::IntegerOverflow,
        TrapCode::IntegerDivisionByZero => Trap::IntegerDivideByZero,
        TrapCode::BadConversionToInteger => Trap::InvalidConversionToInteger,
        TrapCode::UnreachableCodeReached => Trap::Unreachable,
        TrapCode::UncaughtException => Trap::UncaughtException,
        TrapCode::UninitializedExnRef => Trap::NullReference,
        // A wait on a memory that is not shared. (Or an interruption by signals, which wrun does not enable.)
        TrapCode::HostInterrupt => Trap::AtomicWaitNonSharedMemory,
        TrapCode::YieldOutsideAsyncContext | TrapCode::ReadonlyTableModified => {
            return Error::trap(Trap::Other, Some(code.message().to_owned()));
        }
    };
    Error::trap(trap, None)
}
