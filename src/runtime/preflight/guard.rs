//! Catches panics of an engine's compiler.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::config::RuntimeConfig;
use crate::error::{Error, ErrorKind, Result};

/// Runs a compiler and turns a panic into an error.
///
/// # Errors
/// Those of `compile`, or [`ErrorKind::Internal`] if it panics.
pub(crate) fn guard_compiler<T>(config: &RuntimeConfig, compile: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(compile)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
        let (kind, compiler) = (config.kind, config.effective_compiler());
        let message = format!("the compiler {compiler} of {kind} panicked on this module: {text}");
        Err(Error::new(ErrorKind::Internal, message).with_hint("try another engine or compiler, and report the module"))
    })
}
