//! Links the interfaces of WASI that a component imports.

use std::borrow::Cow;
use std::collections::BTreeSet;

use wasmtime::component::Linker;

#[cfg(feature = "wasi-p3")]
use super::interface::p3;
use super::interface::{Link, p2};
use super::interfaces;
#[cfg(feature = "wasi-p3")]
use super::p3;
use super::state::HasWasi;

/// The result of linking.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Linked {
    /// Whether any interface was linked, so that the store needs a [`ComponentWasi`](super::ComponentWasi). The component must be
    /// instantiated and called with the engine's asynchronous functions, since many functions of WASI are asynchronous.
    pub(crate) needs_state: bool,
    /// Whether functions use timers or sockets, so that calls of the component must run after [`Linked::enter`].
    pub(super) uses_reactor: bool,
}

/// Links the interfaces of WASI among the imports of a component, by their full names, such as `wasi:cli/exit@0.2.6`. Ignores
/// all others.
///
/// # Errors
/// Only if the linker has an interface of WASI already.
pub(crate) fn add_to_linker<'n, T: HasWasi>(
    linker: &mut Linker<T>,
    imports: impl Iterator<Item = &'n str>,
) -> wasmtime::Result<Linked> {
    let mut found = Linked::default();
    // A component can import several minor versions of one interface, which are linked as one.
    let mut seen = BTreeSet::new();
    for name in imports {
        let Some((version, link)) = find::<T>(name) else { continue };
        found.needs_state = true;
        found.uses_reactor |= link.uses_reactor;
        let interface = name.split('@').next().unwrap_or(name);
        if seen.insert((version, interface)) {
            (link.add)(linker)?;
        }
    }
    Ok(found)
}

/// Returns whether [`add_to_linker`] links an interface.
pub(crate) fn provides<T: HasWasi>(name: &str) -> bool {
    find::<T>(name).is_some()
}

/// Returns the name under which [`add_to_linker`] links an interface: its newest minor version. Returns other names unchanged.
pub(crate) fn linked_name<T: HasWasi>(name: &str) -> Cow<'_, str> {
    match (find::<T>(name), name.split_once('@')) {
        (Some((Version::P2, _)), Some((interface, _))) => Cow::Owned(format!("{interface}{}", p2!(""))),
        #[cfg(feature = "wasi-p3")]
        (Some((Version::P3, _)), Some((interface, _))) => Cow::Owned(format!("{interface}{}", p3!(""))),
        _ => Cow::Borrowed(name),
    }
}

/// The versions of WASI that components use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Version {
    P2,
    #[cfg(feature = "wasi-p3")]
    P3,
}

/// Returns how to link an interface. The engine accepts any minor version, and no preliminary version.
fn find<T: HasWasi>(name: &str) -> Option<(Version, Link<T>)> {
    let (interface, version) = name.split_once('@')?;
    if version.contains('-') {
        return None;
    }
    match version.get(..4)? {
        "0.2." => Some((Version::P2, interfaces::find(interface)?)),
        #[cfg(feature = "wasi-p3")]
        "0.3." => Some((Version::P3, p3::find(interface)?)),
        _ => None,
    }
}
