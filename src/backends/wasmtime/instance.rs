//! Instances.

use std::fmt;

use wasmtime::{AsContextMut, Extern, Instance, RootScope, Store};

use super::caller::{AnySignature, CallStrategy, ResolvedFunction};
use super::limits::StoreData;
use super::{caller, convert, fuel, memory};
use crate::error::Result;
use crate::runtime::core::{InstanceCore, Seat};
use crate::runtime::fuel::{FuelCounter, FuelState};
use crate::runtime::traits::{WasmFunctionCaller, WasmInstance};
use crate::runtime::{access, signature};
use crate::value::types::Value;

/// An instance in its own store.
pub struct WasmtimeInstance {
    pub(super) core: InstanceCore,
    pub(super) store: Store<StoreData>,
    /// The stack that a call needs, in bytes.
    pub(super) stack_bytes: usize,
    pub(super) fuel_state: Option<FuelState>,
    instance: Instance,
}

impl WasmtimeInstance {
    pub(super) fn new(
        core: InstanceCore,
        store: Store<StoreData>,
        instance: Instance,
        stack_bytes: usize,
        fuel_state: Option<FuelState>,
    ) -> Self {
        Self { core, store, stack_bytes, fuel_state, instance }
    }

    /// Resolves an exported function that the host can call.
    fn resolve(&mut self, name: &str) -> Result<ResolvedFunction> {
        let ty = signature::find_callable(self.core.info(), name)?.clone();
        match self.instance.get_func(&mut self.store, name) {
            Some(func) => Ok(ResolvedFunction { func, ty }),
            None => Err(access::no_such_export(self.core.info(), "func", name)),
        }
    }

    fn with_memory<R>(&mut self, name: &str, access: impl FnOnce(&mut [u8]) -> R) -> Result<R> {
        let export = self.instance.get_export(&mut self.store, name);
        let accessed = export.and_then(|export| memory::with_bytes(&mut self.store, export, access));
        accessed.ok_or_else(|| access::no_such_export(self.core.info(), "memory", name))
    }
}

impl fmt::Debug for WasmtimeInstance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WasmtimeInstance").field("core", &self.core).finish_non_exhaustive()
    }
}

impl WasmInstance for WasmtimeInstance {
    fn core(&self) -> &InstanceCore {
        &self.core
    }

    fn fuel_counter(&mut self) -> &mut dyn FuelCounter {
        self
    }

    fn seat(&mut self) -> Seat<'_> {
        Seat::new(self.core.id(), self)
    }

    fn function(&mut self, name: &str) -> Result<Box<dyn WasmFunctionCaller>> {
        Ok(caller::prepare(self.core.id(), self.resolve(name)?))
    }

    fn call_into(&mut self, name: &str, args: &[Value], results: &mut [Value]) -> Result<()> {
        let function = self.resolve(name)?;
        let mut strategy = AnySignature::of(&function.ty);
        strategy.call(&function, self, args, results).map_err(|error| error.in_function(name))
    }

    fn global(&mut self, name: &str) -> Result<Value> {
        access::check_global(self.core.info(), name)?;
        let mut scope = RootScope::new(&mut self.store);
        let Some(Extern::Global(global)) = self.instance.get_export(&mut scope, name) else {
            return Err(access::no_such_export(self.core.info(), "global", name));
        };
        let val = global.get(&mut scope);
        convert::from_val(scope.as_context_mut(), &val)
    }

    fn memory_size(&mut self, name: &str) -> Result<u64> {
        self.with_memory(name, |bytes| bytes.len() as u64)
    }

    fn read_memory(&mut self, name: &str, offset: u64, buffer: &mut [u8]) -> Result<()> {
        self.with_memory(name, |bytes| access::read(bytes, offset, buffer))?
    }

    fn write_memory(&mut self, name: &str, offset: u64, bytes: &[u8]) -> Result<()> {
        self.with_memory(name, |memory| access::write(memory, offset, bytes))?
    }
}

impl FuelCounter for WasmtimeInstance {
    fn fuel_state(&mut self) -> Option<&mut FuelState> {
        self.fuel_state.as_mut()
    }

    fn left(&mut self) -> i64 {
        fuel::left(&self.store)
    }

    fn set_left(&mut self, left: i64) {
        fuel::set_left(&mut self.store, left);
    }
}
