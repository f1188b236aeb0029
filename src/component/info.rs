//! The facts of a component: its imports and exports with their types.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::component::types::{Name, Resource, WitFunction, WitType};
use crate::error::{Error, ErrorKind, Result};
use crate::module::info::{CustomSection, ModuleInfo, Producer};

/// The facts of a component that need no engine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ComponentInfo {
    /// The name in the name section.
    pub name: Option<String>,
    /// The size of the binary in bytes.
    pub size: usize,
    /// The number of core modules in it, also in the components in it.
    pub modules: u32,
    /// The imports, in order.
    pub imports: Vec<ComponentExtern>,
    /// The exports, in order.
    pub exports: Vec<ComponentExtern>,
    /// Whether a core module in it imports or defines a memory that threads may share.
    pub shares_memory: bool,
    /// Whether a core module in it waits on a shared memory (`memory.atomic.wait32` or `wait64`). Only another thread can end
    /// a wait, and components have none.
    pub waits: bool,
    /// Whether it uses tasks, streams or futures, or passes values asynchronously.
    pub is_concurrent: bool,
    /// Its custom sections, in order, without those of the modules and components in it.
    pub custom_sections: Vec<CustomSection>,
    /// Its producers section, in order.
    pub producers: Vec<Producer>,
}

/// An import or an export of a component or of an instance in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComponentExtern {
    /// The name: `greet`, or `demo:shop/till@1.2.0` for an interface.
    pub name: Name,
    /// The item.
    pub item: ComponentItem,
}

/// An item that a component can import or export.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ComponentItem {
    /// A function.
    Func(WitFunction),
    /// An instance of an interface, with its items.
    Instance(Arc<[ComponentExtern]>),
    /// The type of a value.
    Type(WitType),
    /// The type of a resource.
    Resource(Resource),
    /// The type of a function, an instance or a component.
    OtherType,
    /// A core module.
    Module,
    /// A component.
    Component,
    /// A value.
    Value(WitType),
}

impl ComponentItem {
    /// Returns its kind with an article: `a function`, `an interface`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Func(_) => "a function",
            Self::Instance(_) => "an interface",
            Self::Type(_) | Self::OtherType => "a type",
            Self::Resource(_) => "a resource",
            Self::Module => "a core module",
            Self::Component => "a component",
            Self::Value(_) => "a value",
        }
    }
}

/// A version of WASI whose programs components can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WasiVersion {
    /// WASI 0.2.
    P2,
    /// WASI 0.3.
    P3,
}

impl ComponentInfo {
    /// Returns the exported functions, in order: the interface that has it (`None` for a function that the component exports
    /// directly, outside an interface), its name, and its type.
    pub fn functions(&self) -> impl Iterator<Item = (Option<&str>, &str, &WitFunction)> {
        self.exports.iter().flat_map(|export| {
            let (interface, items) = match &export.item {
                ComponentItem::Instance(items) => (Some(&*export.name), &**items),
                _ => (None, std::slice::from_ref(export)),
            };
            items.iter().filter_map(move |item| match &item.item {
                ComponentItem::Func(ty) => Some((interface, &*item.name, ty)),
                _ => None,
            })
        })
    }

    /// Returns the versions of WASI in which the component is a program, latest first, each with the interface that exports
    /// `run`: `wasi:cli/run@0.2.x` or `wasi:cli/run@0.3.x`.
    #[must_use]
    pub fn programs(&self) -> Vec<(WasiVersion, &str)> {
        let mut programs: Vec<_> = self
            .functions()
            .filter(|(_, name, ty)| *name == "run" && ty.params().is_empty())
            .filter_map(|(interface, ..)| {
                let interface = interface?;
                let version = interface.strip_prefix("wasi:cli/run@")?;
                let wasi = match version.get(..4)? {
                    "0.2." => WasiVersion::P2,
                    "0.3." => WasiVersion::P3,
                    _ => return None,
                };
                Some((wasi, interface))
            })
            .collect();
        programs.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
        programs
    }

    /// Returns the interface by which the component answers HTTP requests, if it exports one: `wasi:http/incoming-handler@0.2.x` or
    /// `wasi:http/handler@0.3.x`.
    #[must_use]
    pub(crate) fn http_handler(&self) -> Option<&str> {
        let is_handler = |interface: &&str| {
            matches!(interface.split('@').next(), Some("wasi:http/incoming-handler" | "wasi:http/handler"))
        };
        self.functions().filter_map(|(interface, ..)| interface).find(is_handler)
    }

    /// Returns whether the component is a program: exports `run` of `wasi:cli/run`.
    #[must_use]
    pub fn is_program(&self) -> bool {
        !self.programs().is_empty()
    }

    /// Returns the interfaces of WASI that it imports, such as `wasi:clocks/wall-clock@0.2.0`.
    pub fn wasi_imports(&self) -> impl Iterator<Item = &str> {
        self.imports.iter().map(|import| &*import.name).filter(|name| name.starts_with("wasi:"))
    }
}

/// The facts of a module or of a component.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CodeInfo {
    /// A core module.
    #[serde(serialize_with = "serialize_shared", deserialize_with = "deserialize_shared")]
    Module(Arc<ModuleInfo>),
    /// A component.
    #[serde(serialize_with = "serialize_shared", deserialize_with = "deserialize_shared")]
    Component(Arc<ComponentInfo>),
}

fn serialize_shared<T: Serialize, S: Serializer>(shared: &Arc<T>, serializer: S) -> Result<S::Ok, S::Error> {
    shared.as_ref().serialize(serializer)
}

fn deserialize_shared<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<T>, D::Error> {
    T::deserialize(deserializer).map(Arc::new)
}

impl CodeInfo {
    /// Returns the facts of a module.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] if it is a component.
    pub fn module(&self) -> Result<&Arc<ModuleInfo>> {
        match self {
            Self::Module(info) => Ok(info),
            Self::Component(_) => Err(not_a_module()),
        }
    }

    /// Returns the facts of a component.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] if it is a module.
    pub fn component(&self) -> Result<&Arc<ComponentInfo>> {
        match self {
            Self::Component(info) => Ok(info),
            Self::Module(_) => Err(not_a_component()),
        }
    }
}

pub(crate) fn not_a_module() -> Error {
    Error::new(ErrorKind::InvalidArgument, "this is a component, not a module")
}

pub(crate) fn not_a_component() -> Error {
    Error::new(ErrorKind::InvalidArgument, "this is a module, not a component")
}
