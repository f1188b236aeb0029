//! Instances and their resolved functions.
#![expect(unsafe_code, reason = "the engine's store is not `Send`, but may move to another thread here")]

use std::any::Any;

use wasmer::{Function, Instance, Store};

use super::convert::{References, from_val, to_val};
use super::fuel::GuestGlobals;
use super::memory;
use super::row_loop::WasmerLoop;
use super::typed::{self, LiveModule, TypedCall};
use super::wasix::Process;
use crate::error::Result;
use crate::runtime::fuel::{FuelCounter, FuelState};
use crate::runtime::owner::InstanceCore;
use crate::runtime::traits::{WasmFunctionCaller, WasmInstance, WasmModule};
use crate::runtime::{lookup, sealed, signature};
use crate::value::types::{FuncType, Value};

/// The main function of a WASIX program. The program ends when it returns.
const MAIN: &str = "_start";

/// An instance in its own store.
#[derive(derive_more::Debug)]
#[debug("WasmerInstance({core:?})")]
pub struct WasmerInstance {
    /// Must be dropped before the store, since its interrupt handle points into the store.
    pub(super) core: InstanceCore,
    /// The WASIX process with its threads, if the module uses WASIX. Must be dropped before the store, too.
    pub(super) wasix: Option<Box<Process>>,
    pub(super) instance: Instance,
    pub(super) references: References,
    pub(super) globals: GuestGlobals,
    pub(super) store: Store,
}

// SAFETY: Wasmer's `Store` is not `Send` because it contains raw pointers into its own heap objects (which move with it),
// an `on_called` callback and a trap handler (this crate sets neither), and the data of externrefs and host functions
// (here: numbers, closures that are `Send + Sync`, and the state of WASIX, which WASIX itself moves between threads).
// Outside this struct, these refer to the store:
// - `WasmerFunctionCaller` and `WasmerLoop` hold handles, which are numbers. Both check that they belong to this struct, and only
//   use the handles with an exclusive reference to it.
// - A `StopFlag` holds the address of a global's value, which does not move with the store. Other threads only access this value
//   atomically. The flag is dropped before the store: the one in the interrupt handle with `core`, and those in the thread group of
//   a WASIX program with `wasix`.
// Threads of the guest have their own stores, whose flags are removed from the thread group before these stores are dropped. They
// share the memory and the code.
// The engine's thread-local state (the current store, the guest stack) is only set during a call.
unsafe impl Send for WasmerInstance {}

impl WasmerInstance {
    /// Resolves an exported function that the host can call, for a handle.
    fn resolve(&self, name: &str) -> Result<ResolvedFunction> {
        let (function, ty) = resolve(&self.core, &self.instance, name)?;
        Ok(ResolvedFunction { function: function.clone(), ty: ty.clone(), is_main: name == MAIN })
    }

    fn live(&mut self) -> LiveModule<'_> {
        LiveModule { status: self.core.status(), store: &mut self.store, globals: &mut self.globals }
    }

    fn memory(&self, name: &str) -> Result<wasmer::MemoryView<'_>> {
        let memory = self.instance.exports.get_memory(name);
        let memory = memory.map_err(|_| lookup::no_such_export(self.core.info(), "memory", name))?;
        Ok(memory.view(&self.store))
    }
}

/// Resolves an exported function that the host can call.
fn resolve<'i>(core: &'i InstanceCore, instance: &'i Instance, name: &str) -> Result<(&'i Function, &'i FuncType)> {
    let ty = lookup::find_callable(core.info(), name)?;
    match instance.exports.get_function(name) {
        Ok(function) => Ok((function, ty)),
        Err(_) => Err(lookup::no_such_export(core.info(), "func", name)),
    }
}

impl sealed::Instance for WasmerInstance {
    fn core(&self) -> &InstanceCore {
        &self.core
    }

    fn fuel_counter(&mut self) -> &mut dyn FuelCounter {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }

    fn link_loop(&mut self, module: &dyn WasmModule, function: &str) -> Result<Option<Box<dyn sealed::LinkedLoop>>> {
        if self.wasix.is_some() {
            return Ok(None);
        }
        let Self { core, instance, store, .. } = self;
        let (function, _) = resolve(core, instance, function)?;
        Ok(Some(Box::new(WasmerLoop::link(core, store, module, function.clone())?)))
    }
}

impl WasmInstance for WasmerInstance {
    fn function(&mut self, name: &str) -> Result<Box<dyn WasmFunctionCaller>> {
        let resolved = self.resolve(name)?;
        let typed = typed::prepare(&resolved.function, &self.store, &resolved.ty);
        Ok(Box::new(WasmerFunctionCaller { resolved, typed, owner: self.core.id() }))
    }

    fn call_into(&mut self, name: &str, args: &[Value], results: &mut [Value]) -> Result<()> {
        if let Self { core, wasix: None, instance, globals, store, .. } = self {
            let (function, ty) = resolve(core, instance, name)?;
            if let Some(call) = typed::prepare(function, store, ty)
                && let Some(called) = call(LiveModule { status: core.status(), store, globals }, args, results)
            {
                return called.map_err(|error| error.in_function(name));
            }
        }
        self.resolve(name)?.call(self, args, results).map_err(|error| error.in_function(name))
    }

    fn global(&mut self, name: &str) -> Result<Value> {
        lookup::check_global(self.core.info(), name)?;
        let Ok(global) = self.instance.exports.get_global(name) else {
            return Err(lookup::no_such_export(self.core.info(), "global", name));
        };
        let val = global.get(&mut self.store);
        from_val(&mut self.store, &self.references, &val)
    }

    fn memory_size(&mut self, name: &str) -> Result<u64> {
        Ok(self.memory(name)?.data_size())
    }

    fn read_memory(&mut self, name: &str, offset: u64, buffer: &mut [u8]) -> Result<()> {
        memory::read(&self.memory(name)?, offset, buffer)
    }

    fn write_memory(&mut self, name: &str, offset: u64, bytes: &[u8]) -> Result<()> {
        memory::write(&self.memory(name)?, offset, bytes)
    }
}

impl FuelCounter for WasmerInstance {
    fn fuel_state(&mut self) -> Option<&mut FuelState> {
        self.globals.fuel_state()
    }

    fn left(&mut self) -> i64 {
        self.globals.left(&mut self.store)
    }

    fn set_left(&mut self, left: i64) {
        self.globals.set_left(&mut self.store, left);
    }
}

/// A function and its type.
struct ResolvedFunction {
    function: Function,
    ty: FuncType,
    /// Whether a WASIX program ends when this function returns.
    is_main: bool,
}

impl ResolvedFunction {
    /// Calls a function of any signature.
    fn call(&self, instance: &mut WasmerInstance, args: &[Value], results: &mut [Value]) -> Result<()> {
        signature::check_call(&self.ty, args, results.len())?;
        let WasmerInstance { core, wasix, store, references, globals, .. } = instance;
        let mut call = || call_dynamic(store, &self.function, references, globals, args, results);
        core.status().run(|| match wasix {
            None => call(),
            Some(process) => process.run(self.is_main, call),
        })
    }
}

/// A resolved function of a [`WasmerInstance`].
#[derive(derive_more::Debug)]
#[debug("WasmerFunctionCaller({})", resolved.ty)]
pub struct WasmerFunctionCaller {
    resolved: ResolvedFunction,
    /// The fast path, if the signature is common.
    typed: Option<TypedCall>,
    owner: u64,
}

impl WasmFunctionCaller for WasmerFunctionCaller {
    fn ty(&self) -> &FuncType {
        &self.resolved.ty
    }

    fn call(&mut self, instance: &mut dyn WasmInstance, args: &[Value], results: &mut [Value]) -> Result<()> {
        let instance = own(instance, self.owner)?;
        if let (Some(call), None) = (&self.typed, &instance.wasix)
            && let Some(called) = call(instance.live(), args, results)
        {
            return called;
        }
        self.resolved.call(instance, args, results)
    }
}

/// Returns the instance with this number.
///
/// # Errors
/// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if it is another instance.
#[inline]
fn own(instance: &mut dyn WasmInstance, owner: u64) -> Result<&mut WasmerInstance> {
    let instance = instance.as_any_mut().downcast_mut::<WasmerInstance>();
    instance.filter(|instance| instance.core.id() == owner).ok_or_else(signature::other_instance)
}

impl sealed::LinkedLoop for WasmerLoop {
    fn call(&mut self, instance: &mut dyn WasmInstance, rows: i32) -> Result<()> {
        Self::call(self, own(instance, self.owner)?.live(), rows)
    }

    fn with_memory(&mut self, instance: &mut dyn WasmInstance, access: &mut dyn FnMut(&mut [u8])) -> Result<()> {
        Self::with_memory(self, &mut own(instance, self.owner)?.store, access);
        Ok(())
    }
}

fn call_dynamic(
    store: &mut Store,
    function: &Function,
    references: &References,
    globals: &mut GuestGlobals,
    args: &[Value],
    results: &mut [Value],
) -> Result<()> {
    let params = args.iter().map(|arg| to_val(store, references, *arg)).collect::<Result<Vec<_>>>()?;
    let called = function.call(store, &params);
    let vals = globals.finish_call(store, called)?;
    for (result, val) in results.iter_mut().zip(&vals) {
        *result = from_val(store, references, val)?;
    }
    Ok(())
}
