//! Argument lists: the checks that all formats share.

use crate::component::clipped::Clipped;
use crate::component::failure::Failure;
use crate::component::types::{TypeKind, WitFunction, WitType};
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

/// Returns a hint for an array that was meant to be the only argument, if the only parameter takes arrays.
pub(crate) fn array_hint(ty: &WitFunction) -> Option<String> {
    let [(name, only)] = ty.params() else { return None };
    let takes_array = match only.kind()? {
        TypeKind::List(_) | TypeKind::FixedLengthList(..) | TypeKind::Tuple(_) | TypeKind::Flags(_) => true,
        TypeKind::Map(key, _) => *key != WitType::String,
        _ => false,
    };
    let name = Escaped(name);
    takes_array.then(|| format!("the outer array holds the arguments: write [[…]] to pass an array as `{name}`"))
}

/// Makes an error of the failure of an argument, whose path begins with the name of the parameter.
pub(crate) fn refused(failure: Failure, ty: &WitFunction) -> Error {
    let hint = if failure.depth() == 1 { array_hint(ty) } else { None };
    failure.with_hint(hint).into_error()
}
