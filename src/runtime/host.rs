//! Imports that the embedder provides: functions, globals, memories and tables, as plain data for both engines.

use std::collections::BTreeMap;
use std::sync::Arc;

use derive_more::{Debug, Display};

use crate::capabilities::Capabilities;
use crate::error::{Error, Result, Trap};
use crate::module::info::{ExternType, MemoryType, TableType};
use crate::runtime::interrupt::StopReason;
use crate::runtime::plugin::Plugin;
use crate::runtime::status::InstanceStatus;
use crate::value::types::{FuncType, Value};

/// The error of a host function. It becomes the source of a trap with [`Trap::Host`].
pub type HostError = Box<dyn std::error::Error + Send + Sync>;

/// An error with which a host function ends the guest. The call fails with
/// [`ErrorKind::Exited`](crate::ErrorKind::Exited) and this exit code, and the instance becomes
/// [`Exited`](crate::InstanceState::Exited).
#[derive(Clone, Copy, Debug, Display, PartialEq, Eq)]
#[display("exit {_0}")]
pub struct Exit(pub i32);

impl std::error::Error for Exit {}

/// An error of a host function with a hint for the user.
#[derive(Debug, Display)]
#[display("{message}")]
pub(crate) struct HintedError {
    pub(crate) message: String,
    pub(crate) hint: String,
}

impl std::error::Error for HintedError {}

/// Lets a host function that waits answer requests to stop or pause the guest.
#[derive(Clone, Debug)]
pub struct InterruptToken {
    status: Arc<InstanceStatus>,
}

impl InterruptToken {
    pub(crate) fn new(status: &Arc<InstanceStatus>) -> Self {
        Self { status: Arc::clone(status) }
    }

    pub(crate) fn status(&self) -> &InstanceStatus {
        &self.status
    }

    /// Waits while the guest is paused. Any thread that works for the host function may call it. Returns at once if the call
    /// has ended.
    ///
    /// # Errors
    /// Fails if the guest was asked to stop. The host function should return this error, which ends the call.
    pub fn check_interrupt(&self) -> Result<(), HostError> {
        Ok(self.status.check_interrupt()?)
    }
}

/// Gives a host function access to the guest that calls it.
pub trait HostContext {
    /// Returns a token to answer requests to stop or pause the guest.
    fn interrupt_token(&self) -> InterruptToken;

    /// Calls `access` with the exported memory `memory`.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownExport`](crate::ErrorKind::UnknownExport) if the guest exports no such memory;
    /// [`ErrorKind::UnsupportedFeature`](crate::ErrorKind::UnsupportedFeature) if threads of the guest share it.
    fn memory(&mut self, memory: &str, access: &mut dyn FnMut(&mut [u8])) -> Result<()>;

    /// Copies bytes from the exported memory `memory`, starting at byte `offset`.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownExport`](crate::ErrorKind::UnknownExport) if the guest exports no such memory,
    /// [`ErrorKind::MemoryAccess`](crate::ErrorKind::MemoryAccess) if the range is out of bounds.
    fn read_memory(&mut self, memory: &str, offset: u64, buffer: &mut [u8]) -> Result<()>;

    /// Copies bytes into the exported memory `memory`, starting at byte `offset`.
    ///
    /// # Errors
    /// As [`HostContext::read_memory`]. Writes nothing on error.
    fn write_memory(&mut self, memory: &str, offset: u64, bytes: &[u8]) -> Result<()>;
}

type Body = dyn Fn(&mut dyn HostContext, &[Value]) -> Result<Vec<Value>, HostError> + Send + Sync;

/// A host function: its type, and a closure that receives arguments of this type and must return results of it.
#[derive(Clone, Debug)]
#[debug("HostFunction({ty})")]
pub struct HostFunction {
    ty: FuncType,
    body: Arc<Body>,
}

impl HostFunction {
    /// Creates a host function.
    pub fn new<F>(ty: FuncType, body: F) -> Self
    where
        F: Fn(&mut dyn HostContext, &[Value]) -> Result<Vec<Value>, HostError> + Send + Sync + 'static,
    {
        Self { ty, body: Arc::new(body) }
    }

    /// Returns the type.
    #[must_use]
    pub fn ty(&self) -> &FuncType {
        &self.ty
    }

    /// Calls the function and checks the types of its results.
    ///
    /// # Errors
    /// The error of the closure, or an error if its results have the wrong types.
    pub fn call(&self, context: &mut dyn HostContext, args: &[Value]) -> Result<Vec<Value>, HostError> {
        let results = (self.body)(context, args)?;
        let types = self.ty.results();
        let fits = results.len() == types.len() && results.iter().zip(types).all(|(value, ty)| value.is(ty));
        if fits {
            return Ok(results);
        }
        Err(format!("the host function returned {results:?}, but its type is {}", self.ty).into())
    }
}

/// An item that a guest can import. Each import creates a new memory, table or global: a module that imports the same item
/// twice gets two.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum HostItem {
    /// A function.
    Func(HostFunction),
    /// A global with its initial value, and whether it is mutable.
    Global(Value, bool),
    /// A linear memory, filled with zeros.
    Memory(MemoryType),
    /// A table, filled with nulls.
    Table(TableType),
}

impl HostItem {
    /// Returns the type.
    #[must_use]
    pub fn ty(&self) -> ExternType {
        match self {
            Self::Func(function) => ExternType::Func(function.ty.clone()),
            Self::Global(value, mutable) => ExternType::Global(value.ty(), *mutable),
            Self::Memory(ty) => ExternType::Memory(*ty),
            Self::Table(ty) => ExternType::Table(ty.clone()),
        }
    }
}

/// All items that the embedder provides, by module and name.
#[derive(Clone, Debug, Default)]
pub struct HostImports {
    items: BTreeMap<String, BTreeMap<String, HostItem>>,
    /// The guest's WASIX functions, if it imports WASIX.
    pub(crate) wasix: Option<Arc<Wasix>>,
    /// The host's part of an Extism plug-in, for one instance.
    pub(crate) plugin: Option<Arc<dyn Plugin>>,
}

/// The WASIX functions of a guest, which the engine implements.
#[derive(Debug)]
pub(crate) struct Wasix {
    pub(crate) capabilities: Capabilities,
    /// The imported functions, by module and name.
    pub(crate) functions: BTreeMap<(String, String), FuncType>,
}

impl HostImports {
    /// No imports.
    pub(crate) const NONE: &'static Self = {
        static NONE: HostImports = HostImports { items: BTreeMap::new(), wasix: None, plugin: None };
        &NONE
    };

    /// Creates an empty set of imports.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Adds an item. Replaces an item with the same module and name.
    #[must_use]
    pub fn with(mut self, module: impl Into<String>, name: impl Into<String>, item: HostItem) -> Self {
        self.items.entry(module.into()).or_default().insert(name.into(), item);
        self
    }

    /// Adds a function.
    #[must_use]
    pub fn with_function<F>(self, module: &str, name: &str, ty: FuncType, body: F) -> Self
    where
        F: Fn(&mut dyn HostContext, &[Value]) -> Result<Vec<Value>, HostError> + Send + Sync + 'static,
    {
        self.with(module, name, HostItem::Func(HostFunction::new(ty, body)))
    }

    /// Returns the type of a WASIX function that the guest imports.
    pub(crate) fn wasix_function(&self, module: &str, name: &str) -> Option<&FuncType> {
        self.wasix.as_ref()?.functions.get(&(module.to_owned(), name.to_owned()))
    }

    /// Returns the item with this module and name.
    #[must_use]
    pub fn get(&self, module: &str, name: &str) -> Option<&HostItem> {
        self.items.get(module)?.get(name)
    }
}

/// Wraps a [`HostError`] while it unwinds the engine.
#[derive(Debug, Display)]
pub(crate) struct HostFailure(pub(crate) HostError);

impl HostFailure {
    /// Returns the error of the call: an exit, a stop, or a trap.
    pub(crate) fn into_error(self) -> Error {
        if let Some(Exit(code)) = self.0.downcast_ref() {
            return Error::exited(*code);
        }
        match self.0.downcast::<StopReason>() {
            Ok(stop) => stop.into_error(),
            Err(source) => {
                let hint = source.downcast_ref().map(|error: &HintedError| error.hint.clone());
                let error = Error::trap(Trap::Host, Some(source.to_string())).with_source(source);
                hint.into_iter().fold(error, Error::with_hint)
            }
        }
    }
}

impl std::error::Error for HostFailure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.0)
    }
}
