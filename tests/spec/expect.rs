//! Maps the failures that scripts expect to wrun's errors.

use wrun::{Error, ErrorKind, Trap};

use crate::tally::Outcome;

/// The traps that a script's message can mean, longest prefix first.
const TRAPS: &[(&str, &[Trap])] = &[
    ("unreachable", &[Trap::Unreachable]),
    ("integer divide by zero", &[Trap::IntegerDivideByZero]),
    ("integer overflow", &[Trap::IntegerOverflow]),
    ("invalid conversion to integer", &[Trap::InvalidConversionToInteger]),
    ("out of bounds memory access", &[Trap::MemoryOutOfBounds]),
    ("out of bounds table access", &[Trap::TableOutOfBounds]),
    ("out of bounds array access", &[Trap::ArrayOutOfBounds]),
    ("out of bounds", &[Trap::MemoryOutOfBounds, Trap::TableOutOfBounds]),
    ("undefined element", &[Trap::TableOutOfBounds]),
    ("uninitialized element", &[Trap::UninitializedElement]),
    ("indirect call type mismatch", &[Trap::IndirectCallTypeMismatch]),
    ("call stack exhausted", &[Trap::StackOverflow]),
    ("unaligned atomic", &[Trap::UnalignedAtomic]),
    ("expected shared memory", &[Trap::AtomicWaitNonSharedMemory]),
    ("null reference", &[Trap::NullReference]),
    ("null function reference", &[Trap::NullReference]),
    ("null structure reference", &[Trap::NullReference]),
    ("null array reference", &[Trap::NullReference]),
    ("null i31 reference", &[Trap::NullReference]),
    ("null exception reference", &[Trap::NullReference]),
    ("cast failure", &[Trap::CastFailure]),
];

/// Passes if `result` is the trap that `message` describes.
pub(crate) fn trap<T>(result: Result<T, Error>, message: &str) -> Outcome {
    let Some((_, traps)) = TRAPS.iter().find(|(prefix, _)| message.starts_with(prefix)) else {
        return Outcome::Failed(format!("expect.rs does not know the trap `{message}`"));
    };
    one_of(result, traps, message)
}

/// Passes if `result` is an uncaught exception.
pub(crate) fn exception<T>(result: Result<T, Error>) -> Outcome {
    one_of(result, &[Trap::UncaughtException], "uncaught exception")
}

fn one_of<T>(result: Result<T, Error>, traps: &[Trap], message: &str) -> Outcome {
    match result {
        Ok(_) => Outcome::Failed(format!("returned, but must trap: {message}")),
        Err(error) if error.trap_code().is_some_and(|trap| traps.contains(&trap)) => Outcome::Passed,
        Err(error) => Outcome::Failed(format!("must trap with `{message}`, but: {}", describe(&error))),
    }
}

/// Passes if `result` is an error of `kind`.
pub(crate) fn kind<T>(result: Result<T, Error>, kind: ErrorKind, message: &str) -> Outcome {
    match result {
        Ok(_) => Outcome::Failed(format!("accepted, but must be rejected: {message}")),
        Err(error) if error.kind() == kind => Outcome::Passed,
        Err(error) => Outcome::Failed(format!("must be {}, but: {}", kind.as_str(), describe(&error))),
    }
}

/// Describes an error on one line.
pub(crate) fn describe(error: &Error) -> String {
    format!("[{}] {}", error.kind().as_str(), error.message().replace('\n', " "))
}
