//! Argument lists: the checks that all formats share.

use crate::component::clipped::Clipped;
use crate::component::types::{WitFunction, WitType};
use crate::error::{Error, ErrorKind, Result};
use crate::escape::Escaped;

/// Checks the number of arguments given for a function of type `ty`.
///
/// # Errors
/// Returns [`ErrorKind::InvalidArgument`] with both numbers if it is wrong.
pub fn count(given: usize, ty: &WitFunction) -> Result<()> {
    let expected = ty.params().len();
    if given == expected {
        return Ok(());
    }
    let (few, s) = (if given < expected { "few" } else { "many" }, if expected == 1 { "" } else { "s" });
    let mut message = format!("too {few} arguments: {given} given, {expected} parameter{s}");
    if let Some((name, missing)) = ty.params().get(given) {
        message = format!("{message}; `{}` ({}) is missing", Escaped(name), Clipped(missing));
    }
    Err(Error::new(ErrorKind::InvalidArgument, message))
}

/// Adds a hint to the error for a list of arguments that is the value of the only parameter. `is_value` reads it as a value of this
/// type.
pub(crate) fn with_array_hint(error: Error, ty: &WitFunction, is_value: impl FnOnce(&WitType) -> bool) -> Error {
    match ty.params() {
        [(name, only)] if is_value(only) => error.with_hint(format!(
            "the outer array holds the arguments: write [[…]] to pass an array as `{}`",
            Escaped(name)
        )),
        _ => error,
    }
}
