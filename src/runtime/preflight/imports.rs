//! Matches the imports of a module with the items that the host provides.

use crate::error::{Error, ErrorKind, MAX_LISTED, Result};
use crate::escape::Escaped;
use crate::module::info::{ExternType, Import, MemoryType, ModuleInfo, TableType};
use crate::module::requirements::EXTISM_ENV;
use crate::runtime::host::{HostImports, HostItem};

/// Checks that `imports` has every import of a module, with the right type.
///
/// # Errors
/// [`ErrorKind::Unlinkable`], listing each import that is missing or has the wrong type.
pub(crate) fn check_imports(info: &ModuleInfo, imports: &HostImports) -> Result<()> {
    if info.imports.is_empty() {
        return Ok(());
    }
    let mut lines = Vec::new();
    let mut needs_other_wasix = false;
    let mut extism_hint = None;
    for import in &info.imports {
        let Import { module, name, ty } = import;
        let wasix_function = || imports.wasix_function(module, name).cloned().map(ExternType::Func);
        let (matches, found) = match imports.get(module, name) {
            Some(item) => (matches(item, ty), Some(item.ty())),
            None => wasix_function().map_or((false, None), |found| (found == *ty, Some(found))),
        };
        match found {
            _ if matches => {}
            Some(found) => {
                let (module, name) = (Escaped(module), Escaped(name));
                lines.push(format!("`{module}` `{name}`: the module expects {ty}, the host provides {found}"));
            }
            None => {
                needs_other_wasix |= module.starts_with("wasix") && module != "wasix_32v1";
                extism_hint = extism_hint.or(hint_for_extism(module));
                lines.push(format!("`{}` `{}`: {ty}", Escaped(module), Escaped(name)));
            }
        }
    }
    if lines.is_empty() {
        return Ok(());
    }
    let error = extism_hint.into_iter().fold(unresolved(lines), Error::with_hint);
    Err(if needs_other_wasix { error.with_hint("the only supported version of WASIX is `wasix_32v1`") } else { error })
}

/// Returns the error for imports that are missing or have the wrong type, from a line for each.
pub(crate) fn unresolved(mut lines: Vec<String>) -> Error {
    let count = lines.len();
    let s = if count == 1 { "" } else { "s" };
    if count > MAX_LISTED {
        lines.truncate(MAX_LISTED);
        lines.push(format!("and {} more (`wrun inspect` lists them)", count - MAX_LISTED));
    }
    Error::new(ErrorKind::Unlinkable, format!("{count} unresolved import{s}:\n  {}", lines.join("\n  ")))
}

fn hint_for_extism(module: &str) -> Option<&'static str> {
    match module {
        "extism:host/user" => Some("a program that uses the library of wrun can provide `extism:host/user`"),
        EXTISM_ENV => Some("the plug-in was built for another version of Extism"),
        _ => None,
    }
}

/// Import matching of the specification (section 3.4, "external types").
fn matches(item: &HostItem, wanted: &ExternType) -> bool {
    match (item, wanted) {
        (HostItem::Func(function), ExternType::Func(ty)) => function.ty() == ty,
        (HostItem::Global(value, mutable), ExternType::Global(ty, wanted)) => value.is(ty) && mutable == wanted,
        (HostItem::Memory(MemoryType { minimum, maximum, shared, memory64, page_size }), ExternType::Memory(ty)) => {
            (shared, memory64, page_size) == (&ty.shared, &ty.memory64, &ty.page_size)
                && fits(*minimum, *maximum, ty.minimum, ty.maximum)
        }
        (HostItem::Table(TableType { element, minimum, maximum, table64 }), ExternType::Table(ty)) => {
            (element, table64) == (&ty.element, &ty.table64) && fits(*minimum, *maximum, ty.minimum, ty.maximum)
        }
        _ => false,
    }
}

fn fits(minimum: u64, maximum: Option<u64>, wanted_minimum: u64, wanted_maximum: Option<u64>) -> bool {
    let is_bounded = wanted_maximum.is_none_or(|wanted| maximum.is_some_and(|maximum| maximum <= wanted));
    let is_valid = maximum.is_none_or(|maximum| minimum <= maximum);
    minimum >= wanted_minimum && is_bounded && is_valid
}
