//! Links a component: resolves its imports to functions of the embedder and of WASI.

use std::sync::{Arc, OnceLock};

use wasmtime::Engine;
use wasmtime::component::{Component, InstancePre, Linker};

use super::data::ComponentData;
use super::host::LinkedFunction;
use super::types;
use crate::component::info::{ComponentExtern, ComponentInfo, ComponentItem};
use crate::component::types::{Name, WitFunction};
use crate::error::{Error, ErrorKind, Result};
use crate::escape::Escaped;
use crate::runtime::component_host::ComponentImports;
use crate::runtime::preflight::{self, not_provided};
use crate::wasi::component as wasi;

/// The embedder's functions that a component imports, by interface, and its unresolved imports.
#[derive(Default)]
struct Plan {
    functions: Vec<(String, LinkedFunction)>,
    unresolved: Vec<Unresolved>,
}

/// A function that nothing provides.
struct Unresolved {
    line: String,
    is_preliminary: bool,
}

impl Unresolved {
    fn new(interface: &str, name: &Name, ty: &WitFunction) -> Self {
        let within = if interface.is_empty() { String::new() } else { format!("`{}` ", Escaped(interface)) };
        Self { line: format!("{within}`{}`: {ty}", Escaped(name)), is_preliminary: is_preliminary(interface) }
    }
}

/// Checks that everything a component imports is provided: by name, also in the interfaces of WASI. The types of WASI's functions
/// are only known to the engine, which compares them when it links the component.
///
/// # Errors
/// Those of [`link`].
pub(in super::super) fn check_imports(engine: &Engine, info: &ComponentInfo, imports: &ComponentImports) -> Result<()> {
    Plan::new(info, imports)?;
    let unresolved = unknown_to_wasi(engine, info, imports).map_err(|error| unprovided(&error))?;
    if unresolved.is_empty() { Ok(()) } else { Err(unlinkable(&unresolved)) }
}

/// Returns the functions that a component imports from interfaces of WASI that lack them. The linker cannot list its definitions, but
/// it refuses to define a name twice.
fn unknown_to_wasi(
    engine: &Engine,
    info: &ComponentInfo,
    imports: &ComponentImports,
) -> wasmtime::Result<Vec<Unresolved>> {
    let mut linker = Linker::<ComponentData>::new(engine);
    // wrun replaces some functions of wasmtime-wasi.
    linker.allow_shadowing(true);
    wasi::add_to_linker(&mut linker, info.imports.iter().map(|import| &*import.name))?;
    linker.allow_shadowing(false);
    let mut unknown = Vec::new();
    for import in info.imports.iter().filter(|import| wasi::provides::<ComponentData>(&import.name)) {
        let ComponentItem::Instance(items) = &import.item else { continue };
        let mut interface = linker.instance(&wasi::linked_name::<ComponentData>(&import.name))?;
        for item in items.iter() {
            if let ComponentItem::Func(ty) = &item.item
                && imports.find(&import.name, &item.name).is_none()
                && interface.func_new(&item.name, |_, _, _, _| Ok(())).is_ok()
            {
                unknown.push(Unresolved::new(&import.name, &item.name, ty));
            }
        }
    }
    Ok(unknown)
}

/// A component with its imports.
#[derive(Clone)]
pub(super) struct LinkedComponent {
    pub(super) component: InstancePre<ComponentData>,
    pub(super) wasi: wasi::Linked,
    /// Whether it must be instantiated and called with the engine's asynchronous functions.
    pub(super) is_async: bool,
}

/// Resolves the imports of a component. `known` keeps the result for the next time, unless the embedder provides functions.
///
/// # Errors
/// [`ErrorKind::Unlinkable`] listing each import that nothing provides, [`ErrorKind::UnsupportedFeature`] if the component
/// imports something that the host cannot provide.
pub(super) fn link(
    component: &Component,
    info: &ComponentInfo,
    known: &OnceLock<LinkedComponent>,
    imports: &ComponentImports,
) -> Result<LinkedComponent> {
    let plan = Plan::new(info, imports)?;
    if plan.functions.is_empty()
        && let Some(linked) = known.get()
    {
        return Ok(linked.clone());
    }
    let linked = link_by(&plan, component, info).map_err(|error| unprovided(&error))?;
    Ok(if plan.functions.is_empty() { known.get_or_init(|| linked).clone() } else { linked })
}

fn link_by(plan: &Plan, component: &Component, info: &ComponentInfo) -> wasmtime::Result<LinkedComponent> {
    let mut linker = Linker::new(component.engine());
    linker.allow_shadowing(true);
    let wasi = wasi::add_to_linker(&mut linker, info.imports.iter().map(|import| &*import.name))?;
    for (interface, function) in &plan.functions {
        let mut root = linker.root();
        match interface.as_str() {
            "" => function.define(&mut root)?,
            interface => function.define(&mut root.instance(&wasi::linked_name::<ComponentData>(interface))?)?,
        }
    }
    let is_async =
        info.is_concurrent || wasi.needs_state || plan.functions.iter().any(|(_, function)| function.ty.is_async());
    Ok(LinkedComponent { component: linker.instantiate_pre(component)?, wasi, is_async })
}

impl Plan {
    fn new(info: &ComponentInfo, imports: &ComponentImports) -> Result<Self> {
        let mut plan = Self::default();
        for import in &info.imports {
            match &import.item {
                ComponentItem::Func(ty) => plan.add("", import, ty, imports)?,
                ComponentItem::Instance(items) if wasi::provides::<ComponentData>(&import.name) => {
                    plan.replace(&import.name, items, imports)?;
                }
                ComponentItem::Instance(items) => plan.add_interface(&import.name, items, imports)?,
                _ => {}
            }
        }
        if plan.unresolved.is_empty() { Ok(plan) } else { Err(unlinkable(&plan.unresolved)) }
    }

    fn add_interface(&mut self, interface: &str, items: &[ComponentExtern], imports: &ComponentImports) -> Result<()> {
        for item in items {
            match &item.item {
                ComponentItem::Func(ty) => self.add(interface, item, ty, imports)?,
                ComponentItem::Resource(_) => {
                    return Err(not_provided("the resource", &format!("{interface}#{}", item.name)));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Adds the functions of the embedder that replace those of WASI.
    fn replace(&mut self, interface: &str, items: &[ComponentExtern], imports: &ComponentImports) -> Result<()> {
        for item in items {
            if let ComponentItem::Func(ty) = &item.item
                && imports.find(interface, &item.name).is_some()
            {
                self.add(interface, item, ty, imports)?;
            }
        }
        Ok(())
    }

    fn add(
        &mut self,
        interface: &str,
        import: &ComponentExtern,
        ty: &WitFunction,
        imports: &ComponentImports,
    ) -> Result<()> {
        let name = &import.name;
        match imports.find(interface, name) {
            Some(body) => {
                types::check_host_function(name, ty)?;
                let function = LinkedFunction { name: Arc::clone(name), ty: ty.clone(), body: Arc::clone(body) };
                self.functions.push((interface.to_owned(), function));
            }
            None => self.unresolved.push(Unresolved::new(interface, name, ty)),
        }
        Ok(())
    }
}

fn unlinkable(imports: &[Unresolved]) -> Error {
    let error = preflight::unresolved(imports.iter().map(|import| import.line.clone()).collect());
    let preliminary = imports.iter().filter(|import| import.is_preliminary).count();
    let error = if preliminary == 0 {
        error
    } else {
        error.with_hint("wrun provides WASI 0.2 and 0.3, not preliminary versions")
    };
    if preliminary == imports.len() { error } else { error.with_hint("the library can provide functions") }
}

fn unprovided(error: &wasmtime::Error) -> Error {
    Error::of_engine(ErrorKind::Unlinkable, "the component's imports cannot be provided", &format!("{error:#}"))
}

/// Returns whether an interface belongs to a preliminary version of WASI, such as `0.2.0-rc-2023-11-10`.
fn is_preliminary(interface: &str) -> bool {
    let version = interface.strip_prefix("wasi:").and_then(|interface| interface.split_once('@'));
    version.is_some_and(|(_, version)| version.contains('-'))
}
