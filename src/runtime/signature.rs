//! Checks values against the signature of a function.

use crate::error::{Error, ErrorKind, Result};
use crate::escape::Escaped;
use crate::value::types::{FuncType, Value};

/// Checks the types of `args`, and the number of results.
///
/// # Errors
/// [`ErrorKind::InvalidArgument`] if they do not fit the signature.
#[inline]
pub(crate) fn check_call(ty: &FuncType, args: &[Value], results: usize) -> Result<()> {
    let fits = args.len() == ty.params().len()
        && results == ty.results().len()
        && args.iter().zip(ty.params()).all(|(value, ty)| value.is(ty));
    if fits { Ok(()) } else { Err(mismatch(ty, args, results)) }
}

#[cold]
fn mismatch(ty: &FuncType, args: &[Value], results: usize) -> Error {
    let types: Vec<String> = args.iter().map(|arg| arg.ty().to_string()).collect();
    let s = if results == 1 { "" } else { "s" };
    let types = types.join(", ");
    let message = format!("called with ({types}) and a buffer for {results} result{s}, but the function is {ty}");
    Error::new(ErrorKind::InvalidArgument, message)
}

/// The error for a handle that is used with an instance other than its own.
#[cold]
pub(crate) fn other_instance() -> Error {
    Error::new(ErrorKind::InvalidArgument, "the function belongs to another instance")
}

/// Checks that all values of a signature can be passed between host and guest.
///
/// # Errors
/// [`ErrorKind::UnsupportedFeature`], naming the first unsupported type.
pub fn check_passable(name: &str, ty: &FuncType) -> Result<()> {
    match ty.params().iter().chain(ty.results()).find(|ty| !ty.is_passable()) {
        None => Ok(()),
        Some(unsupported) => {
            let message = format!("cannot call `{}{ty}`: unsupported type {unsupported}", Escaped(name));
            Err(Error::new(ErrorKind::UnsupportedFeature, message))
        }
    }
}
