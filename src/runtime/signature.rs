//! A function of a module by its name, and whether what it is given fits its type.

use crate::error::{Error, ErrorKind, Result};
use crate::escape::Escaped;
use crate::module::info::ModuleInfo;
use crate::runtime::preflight::MOST_LISTED;
use crate::value::types::{FuncType, ValType, Value};

/// The type of the exported function `name`.
///
/// # Errors
/// [`ErrorKind::UnknownExport`] with the nearest name and the functions there are; also where the export is no
/// function.
pub fn find_function<'i>(info: &'i ModuleInfo, name: &str) -> Result<&'i FuncType> {
    if let Some(ty) = info.function(name) {
        return Ok(ty);
    }
    let other = info.exports.iter().find(|export| export.name == name);
    let message = match other {
        Some(export) => format!("the export `{}` is a {}, not a function", Escaped(name), export.ty.kind()),
        None => format!("the module exports no function `{}`", Escaped(name)),
    };
    let mut error = Error::new(ErrorKind::UnknownExport, message);
    if let Some(near) = nearest(name, info.functions().map(|(name, _)| name)) {
        error = error.with_hint(format!("did you mean `{}`?", Escaped(near)));
    }
    Err(error.with_hint(list_of_functions(info)))
}

/// The type of the exported function `name`, whose values all pass between host and guest.
///
/// # Errors
/// Those of [`find_function`] and [`check_passable`].
pub(crate) fn find_callable<'i>(info: &'i ModuleInfo, name: &str) -> Result<&'i FuncType> {
    let ty = find_function(info, name)?;
    check_passable(name, ty)?;
    Ok(ty)
}

/// The exported functions with their signatures, a line each.
#[must_use]
pub fn list_of_functions(info: &ModuleInfo) -> String {
    let total = info.functions().count();
    if total == 0 {
        return "the module exports no functions".to_owned();
    }
    let mut list = "exported functions:".to_owned();
    for (name, ty) in info.functions().take(MOST_LISTED) {
        list += &format!("\n  {}{ty}", Escaped(name));
    }
    if total > MOST_LISTED {
        list += &format!("\n  and {} more (`wrun inspect` lists them)", total - MOST_LISTED);
    }
    list
}

/// The name most like `name`, where one is like it at all.
fn nearest<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let scored = names.map(|other| (strsim::jaro_winkler(name, other), other));
    let best = scored.max_by(|(a, _), (b, _)| a.total_cmp(b));
    best.filter(|(score, _)| *score > 0.75).map(|(_, other)| other)
}

/// Checks that `args` are of the parameter types, and `results` has room for just the results.
///
/// # Errors
/// [`ErrorKind::InvalidArgument`] where they are not.
#[inline]
pub fn check_call(ty: &FuncType, args: &[Value], results: usize) -> Result<()> {
    let fits = args.len() == ty.params().len()
        && results == ty.results().len()
        && args.iter().zip(ty.params()).all(|(value, ty)| value.is(ty));
    if fits { Ok(()) } else { Err(misfit(ty, args, results)) }
}

#[cold]
fn misfit(ty: &FuncType, args: &[Value], results: usize) -> Error {
    let given: Vec<ValType> = args.iter().map(Value::ty).collect();
    let given = FuncType::new(given, Vec::new());
    let given = given.to_string();
    let given = given.trim_end_matches(" -> ()");
    let message = format!("arguments {given} and room for {results} results do not fit {ty}");
    Error::new(ErrorKind::InvalidArgument, message)
}

/// A handle was given an instance it was not resolved on.
#[cold]
pub(crate) fn other_instance() -> Error {
    Error::new(ErrorKind::InvalidArgument, "the function belongs to another instance")
}

/// Refuses a signature with types that do not pass between host and guest.
///
/// # Errors
/// [`ErrorKind::UnsupportedFeature`], naming the first such type.
pub fn check_passable(name: &str, ty: &FuncType) -> Result<()> {
    match ty.params().iter().chain(ty.results()).find(|ty| !ty.is_passable()) {
        None => Ok(()),
        Some(other) => {
            let message = format!("`{}{ty}` cannot be called: wrun passes no values of type {other}", Escaped(name));
            Err(Error::new(ErrorKind::UnsupportedFeature, message))
        }
    }
}
