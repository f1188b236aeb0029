//! Arguments as a list, whatever spelling each has.

use crate::error::{Error, ErrorKind, Result};
use crate::value::text;
use crate::value::types::{FuncType, ValType, Value};

/// Reads arguments given as text, one each.
///
/// # Errors
/// [`ErrorKind::InvalidArgument`] where there are too few or too many, or one is not of its parameter's type.
pub fn parse_text<T: AsRef<str>>(args: &[T], ty: &FuncType) -> Result<Vec<Value>> {
    count(args.len(), ty)?;
    let parsed = args.iter().zip(ty.params()).enumerate();
    parsed.map(|(at, (arg, ty))| text::parse(arg.as_ref(), ty).map_err(|error| numbered(&error, at, ty))).collect()
}

/// Refuses a number of arguments the signature does not have.
///
/// # Errors
/// [`ErrorKind::InvalidArgument`], saying how many there are and should be.
pub fn count(given: usize, ty: &FuncType) -> Result<()> {
    let wanted = ty.params().len();
    if given == wanted {
        return Ok(());
    }
    let (few, s) = (if given < wanted { "few" } else { "many" }, if wanted == 1 { "" } else { "s" });
    let mut message = format!("too {few} arguments: {given} given, {wanted} parameter{s}");
    if let Some(missing) = ty.params().get(given) {
        message = format!("{message}; argument {} ({missing}) is missing", given + 1);
    }
    Err(Error::new(ErrorKind::InvalidArgument, message))
}

/// The same failure, naming the argument (counted from 1) and its type.
#[must_use]
pub fn numbered(error: &Error, index: usize, ty: &ValType) -> Error {
    Error::new(error.kind(), format!("argument {} ({ty}): {}", index + 1, error.message()))
}
