//! Finds the functions of a component by name.

use std::collections::HashMap;
use std::fmt;
use std::rc::Rc;

use crate::component::clipped::{Clipped, MAX_SHOWN};
use crate::component::info::{ComponentExtern, ComponentInfo, ComponentItem};
use crate::component::similar::{is_similar, similarity};
use crate::component::types::{Name, WitFunction};
use crate::error::{Error, ErrorKind, MAX_LISTED, Result};
use crate::escape::Escaped;

/// An exported function, and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FunctionPath {
    /// The interface that has it; `None` for a function that the component exports directly, outside an interface.
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
/// - `greet`, for a function that the component exports directly, outside an interface;
/// - `till#total`, `demo:shop/till#total` and `demo:shop/till@1.2.0#total`, for a function of an interface;
/// - `till#basket.add` and `till#[method]basket.add`, for a method, and the same for static functions and constructors.
///
/// # Errors
/// [`ErrorKind::UnknownExport`] if there is no such function, with the most similar name and a list of the functions, or if the
/// name fits several, with a list of these.
pub fn find_function(info: &ComponentInfo, name: &str) -> Result<FunctionPath> {
    let mut found = fitting(info, name);
    // An exact full name wins.
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
    list(info, "component", |_| true)
}

/// Returns the exported functions in order, each with a short name by which [`find_function`] finds it, ready to print.
pub fn short_names(info: &ComponentInfo) -> impl Iterator<Item = (String, &WitFunction)> {
    named(info).map(|((_, _, ty), name)| (name(), ty))
}

/// An exported function: its interface, its name and its type.
type Found<'i> = (Option<&'i str>, &'i str, &'i WitFunction);

/// Lists the functions of the component or of some of its interfaces: of what `whole` names.
fn list(info: &ComponentInfo, whole: &str, is_listed: impl Fn(Option<&str>) -> bool) -> String {
    let count = info.functions().filter(|(interface, ..)| is_listed(*interface)).count();
    if count == 0 {
        return format!("the {whole} exports no functions");
    }
    let mut list = "exported functions:".to_owned();
    for ((_, _, ty), name) in named(info).filter(|((interface, ..), _)| is_listed(*interface)).take(MAX_LISTED) {
        list += &format!("\n  {}: {}", name(), signature(ty));
    }
    if count > MAX_LISTED {
        list += &format!("\n  and {} more (`wrun inspect` lists them)", count - MAX_LISTED);
    }
    list
}

/// Returns the exported functions in order, each with what makes its short name.
fn named(info: &ComponentInfo) -> impl Iterator<Item = (Found<'_>, impl Fn() -> String)> {
    let mut interfaces = HashMap::<&str, usize>::new();
    for export in &info.exports {
        let [_, unversioned, bare] = spellings(&export.name);
        *interfaces.entry(unversioned).or_default() += 1;
        *interfaces.entry(bare).or_default() += usize::from(bare != unversioned);
    }
    let mut plain_names = HashMap::<_, usize>::new();
    for (interface, function, _) in info.functions() {
        *plain_names.entry((interface.map(str::as_ptr), plain(function))).or_default() += 1;
    }
    let names = Rc::new((interfaces, plain_names));
    info.functions().map(move |found| {
        let names = Rc::clone(&names);
        (found, move || short_name(found, &names.0, &names.1))
    })
}

/// Returns a short name of a function. For each name of an interface, and each plain name in an interface, the maps have how many
/// have it.
fn short_name(
    (interface, function, _): Found<'_>,
    interfaces: &HashMap<&str, usize>,
    plain_names: &HashMap<(Option<*const u8>, &str), usize>,
) -> String {
    let is_unique = plain_names.get(&(interface.map(str::as_ptr), plain(function))) == Some(&1);
    let Some(interface) = interface else {
        // `counter.add` is also `counter#add`.
        let resource = plain(function).split('.').next().unwrap_or_default();
        let is_unique = is_unique && !interfaces.contains_key(resource);
        return Escaped(if is_unique { plain(function) } else { function }).to_string();
    };
    let [full, unversioned, bare] = spellings(interface);
    let shortest = [bare, unversioned].into_iter().find(|name| interfaces.get(name) == Some(&1)).unwrap_or(full);
    format!("{}#{}", Escaped(shortest), Escaped(if is_unique { plain(function) } else { function }))
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
    let error = |message| Error::new(ErrorKind::UnknownExport, message);
    if let Some(export) = info.exports.iter().find(is_meant) {
        let error = error(format!("the export `{}` is {}, not a function", Escaped(&export.name), export.item.kind()));
        let is_it = |interface: Option<&str>| interface.is_some_and(|it| spellings(it).contains(&name));
        return match export.item {
            ComponentItem::Instance(_) => error.with_hint(list(info, "interface", is_it)),
            _ => error.with_hint(list_of_functions(info)),
        };
    }
    let error = error(format!("the component exports no function `{}`", Escaped(name)));
    let error = match most_similar_function(info, name) {
        Some(similar) => error.with_hint(format!("did you mean `{similar}`?")),
        None => error,
    };
    error.with_hint(list_of_functions(info))
}

/// Returns the short name of the function whose name is most similar, the first of several.
fn most_similar_function(info: &ComponentInfo, name: &str) -> Option<String> {
    let mut best: Option<(f64, _)> = None;
    for (found, short) in named(info) {
        let score = similarity_of(found, name);
        if is_similar(score) && best.as_ref().is_none_or(|(other, _)| score > *other) {
            best = Some((score, short));
        }
    }
    best.map(|(_, short)| short()).filter(|short| short.len() <= MAX_SHOWN)
}

/// How similar a name is to the names of a function. Of `till#total`, the less similar part counts.
fn similarity_of((interface, function, _): Found<'_>, name: &str) -> f64 {
    let of_function = |name| similarity(name, function).max(similarity(name, plain(function)));
    let Some(interface) = interface else { return of_function(name) };
    let of_interface =
        |name| spellings(interface).map(|spelling| similarity(name, spelling)).into_iter().fold(0.0, f64::max);
    let splits = name.match_indices(['#', '.']).map(|(at, _)| (&name[..at], &name[at + 1..]));
    let scores = splits.map(|(interface, function)| of_interface(interface).min(of_function(function)));
    scores.fold(of_function(name), f64::max)
}
