//! Finds the functions of a component by name.

use std::collections::HashMap;
use std::fmt;

use crate::component::clipped::{Clipped, MAX_SHOWN};
use crate::component::info::{ComponentExtern, ComponentInfo, ComponentItem};
use crate::component::similar::most_similar;
use crate::component::types::{Name, WitFunction};
use crate::error::{Error, ErrorKind, Result};
use crate::escape::Escaped;

/// The maximum number of lines of a list in a message.
const MAX_LISTED: usize = 40;

/// An exported function, and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FunctionPath {
    /// The interface that has it; `None` for a function that the component exports by itself.
    pub interface: Option<Name>,
    /// Its name in the component: `total`, or `[method]basket.add`.
    pub function: Name,
    /// Its type.
    pub ty: WitFunction,
}

/// Formats the full name: `demo:shop/till@1.2.0#total`.
impl fmt::Display for FunctionPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(interface) = &self.interface {
            write!(f, "{}#", Escaped(interface))?;
        }
        write!(f, "{}", Escaped(&self.function))
    }
}

/// Finds an exported function. These names are accepted, also with `.` for `#`:
///
/// - `greet`, for a function that the component exports by itself;
/// - `till#total`, `demo:shop/till#total` and `demo:shop/till@1.2.0#total`, for a function of an interface;
/// - `till#basket.add` and `till#[method]basket.add`, for a method, and the same for static functions and constructors.
///
/// # Errors
/// [`ErrorKind::UnknownExport`] if there is no such function, with the most similar name and a list of the functions, or if the
/// name fits several, with a list of these.
pub fn find_function(info: &ComponentInfo, name: &str) -> Result<FunctionPath> {
    let mut found = fitting(info, name);
    // A full name is meant literally.
    if let Some(exact) = found.iter().position(|path| path.has_full_name(name)) {
        return Ok(found.swap_remove(exact));
    }
    match found.len() {
        0 => Err(unknown(info, name)),
        1 => Ok(found.swap_remove(0)),
        count => {
            let mut message = format!("`{}` fits {count} functions:", Escaped(name));
            for path in found.iter().take(MAX_LISTED) {
                message += &format!("\n  {path}: {}", signature(&path.ty));
            }
            if count > MAX_LISTED {
                message += &format!("\n  and {} more", count - MAX_LISTED);
            }
            Err(Error::new(ErrorKind::UnknownExport, message).with_hint("use the full name of one of them"))
        }
    }
}

/// Lists the exported functions with their signatures, one per line.
#[must_use]
pub fn list_of_functions(info: &ComponentInfo) -> String {
    let count = info.functions().count();
    if count == 0 {
        return "the component exports no functions".to_owned();
    }
    let mut list = "exported functions:".to_owned();
    for (name, ty) in short_names(info).take(MAX_LISTED) {
        list += &format!("\n  {name}: {}", signature(ty));
    }
    if count > MAX_LISTED {
        list += &format!("\n  and {} more (`wrun inspect` lists them)", count - MAX_LISTED);
    }
    list
}

/// Returns the exported functions in order, each with a short name by which [`find_function`] finds it, ready to print.
pub fn short_names(info: &ComponentInfo) -> impl Iterator<Item = (String, &WitFunction)> {
    let mut interfaces = HashMap::<&str, usize>::new();
    for export in &info.exports {
        let [_, unversioned, bare] = spellings(&export.name);
        *interfaces.entry(unversioned).or_default() += 1;
        *interfaces.entry(bare).or_default() += usize::from(bare != unversioned);
    }
    info.exports.iter().flat_map(move |export| {
        let [full, unversioned, bare] = spellings(&export.name);
        let shortest = [bare, unversioned].into_iter().find(|name| interfaces.get(name) == Some(&1)).unwrap_or(full);
        functions(export).map(move |(is_root, name, ty)| {
            let short =
                if is_root { Escaped(name).to_string() } else { format!("{}#{}", Escaped(shortest), Escaped(name)) };
            (short, ty)
        })
    })
}

/// Formats a signature, without the end of a very long one.
pub(crate) fn signature(ty: &WitFunction) -> String {
    Clipped(ty).to_string()
}

impl FunctionPath {
    fn has_full_name(&self, name: &str) -> bool {
        let function = match &self.interface {
            Some(interface) => name.strip_prefix(&**interface).and_then(|rest| rest.strip_prefix(['#', '.'])),
            None => Some(name),
        };
        function == Some(&*self.function)
    }
}

/// Returns all functions that a name fits.
fn fitting(info: &ComponentInfo, name: &str) -> Vec<FunctionPath> {
    let mut found = Vec::new();
    for export in &info.exports {
        let (interface, wanted, items) = match &export.item {
            ComponentItem::Instance(items) => {
                let after = |interface| name.strip_prefix(interface)?.strip_prefix(['#', '.']);
                let wanted: Vec<_> = spellings(&export.name).into_iter().filter_map(after).collect();
                (Some(&export.name), wanted, &**items)
            }
            _ => (None, vec![name], std::slice::from_ref(export)),
        };
        if wanted.is_empty() {
            continue;
        }
        for item in items {
            let ComponentItem::Func(ty) = &item.item else { continue };
            if wanted.iter().any(|wanted| *wanted == &*item.name || *wanted == plain(&item.name)) {
                let (interface, function) = (interface.cloned(), Name::clone(&item.name));
                found.push(FunctionPath { interface, function, ty: ty.clone() });
            }
        }
    }
    found
}

/// The functions of one export: whether the component exports it by itself, its name and its type.
fn functions(export: &ComponentExtern) -> impl Iterator<Item = (bool, &str, &WitFunction)> {
    let (is_root, items) = match &export.item {
        ComponentItem::Instance(items) => (false, &**items),
        _ => (true, std::slice::from_ref(export)),
    };
    items.iter().filter_map(move |item| match &item.item {
        ComponentItem::Func(ty) => Some((is_root, &*item.name, ty)),
        _ => None,
    })
}

/// The names of an interface: in full, without its version, and without its package.
fn spellings(interface: &str) -> [&str; 3] {
    let unversioned = interface.split('@').next().unwrap_or(interface);
    let bare = unversioned.rsplit('/').next().unwrap_or(unversioned);
    [interface, unversioned, bare]
}

/// The name of a function without the prefix: `basket.add` of `[method]basket.add`.
fn plain(function: &str) -> &str {
    function.strip_prefix('[').and_then(|rest| rest.split_once(']')).map_or(function, |(_, name)| name)
}

fn unknown(info: &ComponentInfo, name: &str) -> Error {
    let is_meant = |export: &&ComponentExtern| spellings(&export.name).contains(&name);
    let message = match info.exports.iter().find(is_meant) {
        Some(ComponentExtern { name, item }) => {
            format!("the export `{}` is {}, not a function", Escaped(name), item.kind())
        }
        None => format!("the component exports no function `{}`", Escaped(name)),
    };
    let mut error = Error::new(ErrorKind::UnknownExport, message);
    if let Some(similar) = similar_name(info, name) {
        error = error.with_hint(format!("did you mean `{similar}`?"));
    }
    error.with_hint(list_of_functions(info))
}

/// Returns the short name of the function whose name, short or without its interface, is most similar.
fn similar_name(info: &ComponentInfo, name: &str) -> Option<String> {
    let names: Vec<_> = short_names(info).map(|(short, _)| short).filter(|short| short.len() <= MAX_SHOWN).collect();
    let function = |short: &str| short.rsplit('#').next().map(plain).map(str::to_owned);
    let functions: Vec<_> = names.iter().filter_map(|short| function(short)).collect();
    let all = || functions.iter().chain(&names).map(String::as_str);
    let similar = most_similar(name, all())?;
    let position = all().position(|other| other == similar)? % names.len();
    names.into_iter().nth(position)
}
