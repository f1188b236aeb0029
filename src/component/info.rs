//! The facts of a component: its imports and exports with their types.

use std::sync::Arc;

use crate::component::types::{WitFunction, WitType};
use crate::error::{Error, ErrorKind, Result};
use crate::module::info::ModuleInfo;

/// The facts of a component that need no engine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ComponentInfo {
    /// The imports, in order.
    pub imports: Vec<ComponentExtern>,
    /// The exports, in order.
    pub exports: Vec<ComponentExtern>,
    /// The size of the binary in bytes.
    pub size: usize,
}

/// An import or an export of a component or of an instance in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComponentExtern {
    /// The name: `greet`, or `demo:shop/till@1.2.0` for an interface.
    pub name: String,
    /// What it is.
    pub item: ComponentItem,
}

/// What a component can import or export.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ComponentItem {
    /// A function.
    Func(WitFunction),
    /// An instance of an interface, with its items.
    Instance(Vec<ComponentExtern>),
    /// A type.
    Type(WitType),
    /// A resource, with its name.
    Resource,
    /// A core module.
    Module,
    /// A component.
    Component,
    /// A value.
    Value,
}

/// The facts of a module or of a component.
#[derive(Clone, Debug)]
pub enum CodeInfo {
    /// A core module.
    Module(Arc<ModuleInfo>),
    /// A component.
    Component(Arc<ComponentInfo>),
}

impl CodeInfo {
    /// Returns the facts of a module.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] if it is a component.
    pub fn module(&self) -> Result<&Arc<ModuleInfo>> {
        match self {
            Self::Module(info) => Ok(info),
            Self::Component(_) => Err(Error::new(ErrorKind::InvalidArgument, "this is a component, not a module")),
        }
    }

    /// Returns the facts of a component.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] if it is a module.
    pub fn component(&self) -> Result<&Arc<ComponentInfo>> {
        match self {
            Self::Component(info) => Ok(info),
            Self::Module(_) => Err(Error::new(ErrorKind::InvalidArgument, "this is a module, not a component")),
        }
    }
}
