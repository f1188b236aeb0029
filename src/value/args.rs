//! Argument lists: the checks that all formats share.

use crate::error::{Error, ErrorKind, Result};
use crate::value::text;
use crate::value::types::{FuncType, ValType, Value};

/// Parses arguments given as text, one string for each parameter of `ty`.
///
/// # Errors
/// Returns [`ErrorKind::InvalidArgument`] if there are too few or too many, or one does not have its parameter's type.
pub fn parse_text<T: AsRef<str>>(args: &[T], ty: &FuncType) -> Result<Vec<Value>> {
    count(args.len(), ty)?;
    let parsed = args.iter().zip(ty.params()).enumerate();
    parsed.map(|(at, (arg, ty))| text::parse(arg.as_ref(), ty).map_err(|error| numbered(error, at, ty))).collect()
}

/// Checks the number of arguments given for a function of type `ty`.
///
/// # Errors
/// Returns [`ErrorKind::InvalidArgument`] with both numbers if it is wrong.
pub fn count(given: usize, ty: &FuncType) -> Result<()> {
    let expected = ty.params().len();
    if given == expected {
        return Ok(());
    }
    let (few, s) = (if given < expected { "few" } else { "many" }, if expected == 1 { "" } else { "s" });
    let mut message = format!("too {few} arguments: {given} given, {expected} parameter{s}");
    if let Some(missing) = ty.params().get(given) {
        message = format!("{message}; argument {} ({missing}) is missing", given + 1);
    }
    Err(Error::new(ErrorKind::InvalidArgument, message))
}

/// Adds the position of the argument at `index`, counted from 1, and its type to an error.
#[must_use]
pub fn numbered(error: Error, index: usize, ty: &ValType) -> Error {
    error.within(&format!("argument {} ({ty})", index + 1))
}
