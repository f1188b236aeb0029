//! What an embedder offers a guest: functions, globals, memories and tables, as plain data that serves both engines.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::capabilities::Capabilities;
use crate::error::{Error, Result, Trap};
use crate::module::info::{ExternType, MemoryType, TableType};
use crate::runtime::interrupt::StopReason;
use crate::runtime::status::InstanceStatus;
use crate::value::types::{FuncType, Value};

/// Why a host function failed; it becomes the source of a trap with [`Trap::Host`].
pub type HostError = Box<dyn std::error::Error + Send + Sync>;

/// The error by which a host function ends the guest, with this code: its call fails with
/// [`ErrorKind::Exited`](crate::ErrorKind::Exited), and the instance is
/// [`Exited`](crate::InstanceState::Exited).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit(pub i32);

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exit {}", self.0)
    }
}

impl std::error::Error for Exit {}

/// What others order the guest that is calling to do, for a host function that waits.
#[derive(Clone, Debug)]
pub struct InterruptToken {
    status: Arc<InstanceStatus>,
}

impl InterruptToken {
    pub(crate) fn new(status: &Arc<InstanceStatus>) -> Self {
        Self { status: Arc::clone(status) }
    }

    /// Waits while the guest is paused. It holds the guest, so it is for whoever works for the host function that the guest is
    /// waiting for; once that has returned, there is nothing to wait for.
    ///
    /// # Errors
    /// Where it is to stop; the host function that returns this error ends the call.
    pub fn check_interrupt(&self) -> Result<(), HostError> {
        Ok(self.status.check_interrupt()?)
    }
}

/// What a host function can do to the guest that calls it.
pub trait HostContext {
    /// What the guest is ordered to do meanwhile.
    fn interrupt_token(&self) -> InterruptToken;

    /// Hands out the exported memory `memory`, all of it, as it is now.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownExport`](crate::ErrorKind::UnknownExport) where the guest exports no such memory;
    /// [`ErrorKind::UnsupportedFeature`](crate::ErrorKind::UnsupportedFeature) where threads of the guest share it.
    fn memory(&mut self, memory: &str, access: &mut dyn FnMut(&mut [u8])) -> Result<()>;

    /// Copies from the exported memory `memory`, starting at byte `offset`.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownExport`](crate::ErrorKind::UnknownExport) where the guest exports no such memory,
    /// [`ErrorKind::MemoryAccess`](crate::ErrorKind::MemoryAccess) where the range is not inside it.
    fn read_memory(&mut self, memory: &str, offset: u64, buffer: &mut [u8]) -> Result<()>;

    /// Copies into the exported memory `memory`, starting at byte `offset`.
    ///
    /// # Errors
    /// As [`HostContext::read_memory`]; nothing is written then.
    fn write_memory(&mut self, memory: &str, offset: u64, bytes: &[u8]) -> Result<()>;
}

type Body = dyn Fn(&mut dyn HostContext, &[Value]) -> Result<Vec<Value>, HostError> + Send + Sync;

/// A function of the host: its type, and a closure that is handed arguments of just that type and must return
/// results of it.
#[derive(Clone)]
pub struct HostFunction {
    ty: FuncType,
    body: Arc<Body>,
}

impl HostFunction {
    /// A host function.
    pub fn new<F>(ty: FuncType, body: F) -> Self
    where
        F: Fn(&mut dyn HostContext, &[Value]) -> Result<Vec<Value>, HostError> + Send + Sync + 'static,
    {
        Self { ty, body: Arc::new(body) }
    }

    /// Its type.
    #[must_use]
    pub fn ty(&self) -> &FuncType {
        &self.ty
    }

    /// Calls it, and holds it to its type.
    ///
    /// # Errors
    /// What the closure returned, or that its results are not of its type.
    pub fn call(&self, context: &mut dyn HostContext, args: &[Value]) -> Result<Vec<Value>, HostError> {
        let results = (self.body)(context, args)?;
        let types = self.ty.results();
        let fits = results.len() == types.len() && results.iter().zip(types).all(|(value, ty)| value.is(ty));
        if fits {
            return Ok(results);
        }
        Err(format!("the host function returned {results:?}, its type is {}", self.ty).into())
    }
}

impl fmt::Debug for HostFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HostFunction({})", self.ty)
    }
}

/// Something a guest can import. Memories, tables and globals are made anew for each import: a module that imports the
/// same one twice gets two.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum HostItem {
    /// A function.
    Func(HostFunction),
    /// A global with its first value, and whether it can change.
    Global(Value, bool),
    /// A linear memory, zeroed.
    Memory(MemoryType),
    /// A table, full of nulls.
    Table(TableType),
}

impl HostItem {
    /// Its type.
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

/// Everything an embedder offers, by module and name.
#[derive(Clone, Debug, Default)]
pub struct HostImports {
    items: BTreeMap<String, BTreeMap<String, HostItem>>,
    wasix: Option<Arc<Wasix>>,
}

/// What a guest has of WASIX: functions that an engine makes by itself, of these capabilities.
#[derive(Debug)]
pub(crate) struct Wasix {
    pub(crate) capabilities: Capabilities,
    /// Those the module imports, by module and name.
    pub(crate) functions: BTreeMap<(String, String), FuncType>,
}

impl HostImports {
    /// Nothing, for whoever only reads it.
    pub(crate) const NONE: &'static Self = {
        static NONE: HostImports = HostImports { items: BTreeMap::new(), wasix: None };
        &NONE
    };

    /// Nothing.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// The same with one item more; an item of the same module and name is replaced.
    #[must_use]
    pub fn with(mut self, module: impl Into<String>, name: impl Into<String>, item: HostItem) -> Self {
        self.items.entry(module.into()).or_default().insert(name.into(), item);
        self
    }

    /// The same with one function more.
    #[must_use]
    pub fn with_function<F>(self, module: &str, name: &str, ty: FuncType, body: F) -> Self
    where
        F: Fn(&mut dyn HostContext, &[Value]) -> Result<Vec<Value>, HostError> + Send + Sync + 'static,
    {
        self.with(module, name, HostItem::Func(HostFunction::new(ty, body)))
    }

    /// The same with WASIX.
    #[must_use]
    pub(crate) fn with_wasix(mut self, wasix: Wasix) -> Self {
        self.wasix = Some(Arc::new(wasix));
        self
    }

    /// What the guest has of WASIX, where it has any.
    pub(crate) fn wasix(&self) -> Option<&Arc<Wasix>> {
        self.wasix.as_ref()
    }

    /// The type of the function of WASIX of this module and name, where the guest has it.
    pub(crate) fn wasix_function(&self, module: &str, name: &str) -> Option<&FuncType> {
        self.wasix.as_ref()?.functions.get(&(module.to_owned(), name.to_owned()))
    }

    /// The item of this module and name.
    #[must_use]
    pub fn get(&self, module: &str, name: &str) -> Option<&HostItem> {
        self.items.get(module)?.get(name)
    }
}

/// How a [`HostError`] travels through an engine and is found again on the other side.
#[derive(Debug)]
pub(crate) struct HostFailure(pub(crate) HostError);

impl HostFailure {
    /// What the call comes to: an exit, a stop, or a trap.
    pub(crate) fn into_error(self) -> Error {
        if let Some(Exit(code)) = self.0.downcast_ref() {
            return Error::exited(*code);
        }
        match self.0.downcast::<StopReason>() {
            Ok(stop) => stop.into_error(),
            Err(source) => Error::trap(Trap::Host, Some(source.to_string())).with_source(source),
        }
    }
}

impl fmt::Display for HostFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for HostFailure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.0)
    }
}
