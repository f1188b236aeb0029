//! Finds the exports of a module by name.

use crate::component::similar::most_similar;
use crate::error::{Error, ErrorKind, MAX_LISTED, Result};
use crate::escape::Escaped;
use crate::module::info::{ExternType, MemoryType, ModuleInfo};
use crate::runtime::signature::check_passable;
use crate::value::types::FuncType;

/// The name that toolchains give the memory.
pub(crate) const MEMORY: &str = "memory";

/// The maximum number of names in a hint.
const MAX_NAMES: usize = 20;

/// Returns the type of the exported function `name`.
///
/// # Errors
/// [`ErrorKind::UnknownExport`] if there is no such function, with the most similar name and a list of the functions.
pub fn find_function<'i>(info: &'i ModuleInfo, name: &str) -> Result<&'i FuncType> {
    if let Some(ty) = info.function(name) {
        return Ok(ty);
    }
    let mut error = Error::new(ErrorKind::UnknownExport, missing_export(info, "function", name));
    if let Some(similar) = most_similar(name, info.functions().map(|(name, _)| name)) {
        error = error.with_hint(format!("did you mean `{}`?", Escaped(similar)));
    }
    Err(error.with_hint(list_of_functions(info)))
}

/// Returns the type of the exported function `name`, if all its values can be passed between host and guest.
///
/// # Errors
/// Those of [`find_function`] and [`check_passable`].
pub(crate) fn find_callable<'i>(info: &'i ModuleInfo, name: &str) -> Result<&'i FuncType> {
    let ty = find_function(info, name)?;
    check_passable(name, ty)?;
    Ok(ty)
}

/// Checks that a module exports the global `name`, with a type that can be passed between host and guest.
///
/// # Errors
/// [`ErrorKind::UnknownExport`], [`ErrorKind::UnsupportedFeature`].
pub(crate) fn check_global(info: &ModuleInfo, name: &str) -> Result<()> {
    match info.exports.iter().find(|export| export.name == name).map(|export| &export.ty) {
        Some(ExternType::Global(ty, _)) if ty.is_passable() => Ok(()),
        Some(ExternType::Global(ty, _)) => {
            let message = format!("cannot read the global `{}`: unsupported type {ty}", Escaped(name));
            Err(Error::new(ErrorKind::UnsupportedFeature, message))
        }
        _ => Err(no_such_export(info, "global", name)),
    }
}

/// Returns the names and types of the exported memories.
pub(crate) fn memories(info: &ModuleInfo) -> Vec<(&str, &MemoryType)> {
    let memories = info.exports.iter().filter_map(|export| match &export.ty {
        ExternType::Memory(ty) => Some((export.name.as_str(), ty)),
        _ => None,
    });
    memories.collect()
}

/// Returns the memory named [`MEMORY`], or else the only one.
pub(crate) fn default_memory<'i>(memories: &[(&'i str, &'i MemoryType)]) -> Option<(&'i str, &'i MemoryType)> {
    let named = memories.iter().copied().find(|(name, _)| *name == MEMORY);
    named.or(match *memories {
        [only] => Some(only),
        _ => None,
    })
}

/// The error for a missing export `name` of this kind ("memory", "global"), with a list of the exports of this kind.
pub(crate) fn no_such_export(info: &ModuleInfo, kind: &str, name: &str) -> Error {
    let error = Error::new(ErrorKind::UnknownExport, missing_export(info, kind, name));
    let of_kind = info.exports.iter().filter(|export| export.ty.kind() == kind);
    let mut names: Vec<_> = of_kind.map(|export| &export.name).collect();
    let more = names.len().saturating_sub(MAX_NAMES);
    names.truncate(MAX_NAMES);
    if names.is_empty() {
        return error;
    }
    let names: Vec<_> = names.into_iter().map(|name| format!("`{}`", Escaped(name))).collect();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    error.with_hint(format!("exported: {}{more}", names.join(", ")))
}

fn missing_export(info: &ModuleInfo, kind: &str, name: &str) -> String {
    match info.exports.iter().find(|export| export.name == name) {
        Some(export) => format!("the export `{}` is a {}, not a {kind}", Escaped(name), export.ty.kind()),
        None => format!("the module exports no {kind} `{}`", Escaped(name)),
    }
}

/// Lists the exported functions with their signatures, one per line.
#[must_use]
pub fn list_of_functions(info: &ModuleInfo) -> String {
    let count = info.functions().count();
    if count == 0 {
        return "the module exports no functions".to_owned();
    }
    let mut list = "exported functions:".to_owned();
    for (name, ty) in info.functions().take(MAX_LISTED) {
        list += &format!("\n  {}{ty}", Escaped(name));
    }
    if count > MAX_LISTED {
        list += &format!("\n  and {} more (`wrun inspect` lists them)", count - MAX_LISTED);
    }
    list
}
