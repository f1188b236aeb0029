//! The exit codes, the same on every engine. Only `main` ends the process, or `supervisor` while `main` cannot return.

use wrun::{CallResult, Error, ErrorKind};

/// A component's function returned `err`.
pub(crate) const RESULT_IS_ERR: u8 = 1;
/// A plug-in reported an error.
pub(crate) const PLUGIN_ERROR: u8 = 1;
/// `diff` found a difference.
pub(crate) const DIFFERENT: u8 = 1;
/// `diff` is inconclusive or failed.
pub(crate) const INCONCLUSIVE: u8 = 2;
/// `bench` found that something is slower than in the baseline.
pub(crate) const SLOWER: u8 = 1;
/// The cache has damaged entries.
pub(crate) const BAD_ENTRIES: u8 = 1;
/// Usage: a bad flag or argument, or an engine that is unavailable or cannot be configured that way.
pub(crate) const USAGE: u8 = 2;
/// Some records of a batch failed.
pub(crate) const RECORDS_FAILED: u8 = 123;
/// Timeout.
pub(crate) const TIMEOUT: u8 = 124;
/// wrun itself failed.
pub(crate) const INTERNAL: u8 = 125;
/// The module was read but cannot run.
pub(crate) const CANNOT_RUN: u8 = 126;
/// No such module file, or no such export.
pub(crate) const NOT_FOUND: u8 = 127;
/// SIGINT.
pub(crate) const INTERRUPTED: u8 = 130;
/// SIGTERM.
pub(crate) const TERMINATED: u8 = 143;
/// Trap.
pub(crate) const TRAP: u8 = 134;
/// A limit.
pub(crate) const LIMIT: u8 = 137;
/// Out of fuel.
pub(crate) const OUT_OF_FUEL: u8 = 152;

/// Returns the exit code of an error: that of its kind, except for a trap after denied growth, which is a limit.
pub(crate) fn of(error: &Error) -> u8 {
    match error.kind() {
        ErrorKind::Trap if error.limit_exceeded().is_some() => LIMIT,
        ErrorKind::InvalidArgument | ErrorKind::UnsupportedConfig | ErrorKind::EngineUnavailable => USAGE,
        ErrorKind::Io | ErrorKind::Internal | ErrorKind::ShutDown => INTERNAL,
        ErrorKind::Plugin => PLUGIN_ERROR,
        ErrorKind::Timeout => TIMEOUT,
        ErrorKind::Interrupted => INTERRUPTED,
        ErrorKind::Exited => of_guest(error.exit_code().unwrap_or(0)),
        ErrorKind::InvalidModule | ErrorKind::UnsupportedFeature | ErrorKind::Unlinkable | ErrorKind::Grant => {
            CANNOT_RUN
        }
        ErrorKind::UnknownExport => NOT_FOUND,
        ErrorKind::Trap | ErrorKind::Crashed | ErrorKind::MemoryAccess | ErrorKind::InvalidResult => TRAP,
        ErrorKind::Limit => LIMIT,
        ErrorKind::OutOfFuel => OUT_OF_FUEL,
    }
}

/// Returns the exit code for a result.
pub(crate) fn of_result(result: &CallResult) -> u8 {
    if result.is_err() { RESULT_IS_ERR } else { 0 }
}

/// Returns the exit code for a guest that exited with `code`: the same, unless wrun uses that code itself.
pub(crate) fn of_guest(code: i32) -> u8 {
    guests_own(code).unwrap_or(INTERNAL)
}

/// Returns the exit code that a guest exited with, unless wrun uses that code itself.
pub(crate) fn guests_own(code: i32) -> Option<u8> {
    u8::try_from(code).ok().filter(|code| *code < TIMEOUT)
}
