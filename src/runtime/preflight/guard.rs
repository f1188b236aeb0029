//! Catches panics of a compiler.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::config::RuntimeConfig;
use crate::error::{Error, ErrorKind, Result};

/// Runs a compiler and turns a panic into an error.
///
/// # Errors
/// Those of `compile`. If it panics, [`ErrorKind::Io`] if the system refused a resource, else [`ErrorKind::Internal`].
pub(crate) fn guard_compiler<T>(config: &RuntimeConfig, compile: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(compile)).unwrap_or_else(|panic| {
        let (kind, compiler) = (config.kind, config.effective_compiler());
        let error =
            Error::of_panic(&format!("the compiler {compiler} of {kind} panicked on this code"), panic.as_ref());
        Err(match error.kind() {
            ErrorKind::Internal => error.with_hint("try another engine or compiler, and report the file"),
            _ => error,
        })
    })
}
