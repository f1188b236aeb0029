//! Instances and their resolved functions.

use std::any::Any;

use wasmtime::{AsContextMut, Extern, Instance, RootScope};

use super::caller::{AnySignature, CallStrategy, LiveModule, ResolvedFunction, WasmtimeFunctionCaller};
use super::pool::PoolPlace;
use super::row_loop::WasmtimeLoop;
use super::{convert, fuel, memory, raw};
use crate::error::Result;
use crate::runtime::fuel::{FuelCounter, FuelState};
use crate::runtime::owner::InstanceCore;
use crate::runtime::traits::{WasmFunctionCaller, WasmInstance, WasmModule};
use crate::runtime::{lookup, sealed, signature};
use crate::value::types::{FuncType, Value};

/// An instance in its own store.
#[derive(derive_more::Debug)]
#[debug("WasmtimeInstance({:?})", live.core)]
pub struct WasmtimeInstance {
    pub(super) live: LiveModule,
    pub(super) instance: Instance,
    /// Its place in the pool, if it is pooled. Must be dropped after the store.
    pub(super) _place: Option<PoolPlace>,
}

impl WasmtimeInstance {
    /// Resolves an exported function that the host can call.
    fn resolve(&mut self, name: &str) -> Result<ResolvedFunction> {
        let ty = lookup::find_callable(self.live.core.info(), name)?.clone();
        match self.instance.get_func(&mut self.live.store, name) {
            Some(func) => Ok(ResolvedFunction { func, ty }),
            None => Err(lookup::no_such_export(self.live.core.info(), "func", name)),
        }
    }

    fn with_memory<R>(&mut self, name: &str, access: impl FnOnce(&mut [u8]) -> R) -> Result<R> {
        let export = self.instance.get_export(&mut self.live.store, name);
        let accessed = export.and_then(|export| memory::with_bytes(&mut self.live.store, export, access));
        accessed.ok_or_else(|| lookup::no_such_export(self.live.core.info(), "memory", name))
    }
}

impl sealed::Instance for WasmtimeInstance {
    fn core(&self) -> &InstanceCore {
        &self.live.core
    }

    fn fuel_counter(&mut self) -> &mut dyn FuelCounter {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }

    fn link_loop(&mut self, module: &dyn WasmModule, function: &str) -> Result<Option<Box<dyn sealed::LinkedLoop>>> {
        let function = self.resolve(function)?.func;
        Ok(Some(Box::new(WasmtimeLoop::link(&mut self.live, module, function)?)))
    }
}

impl WasmInstance for WasmtimeInstance {
    fn function(&mut self, name: &str) -> Result<Box<dyn WasmFunctionCaller>> {
        let function = self.resolve(name)?;
        let owner = self.live.core.id();
        Ok(raw::prepare(owner, &function).unwrap_or_else(|| {
            Box::new(WasmtimeFunctionCaller { strategy: AnySignature::of(&function.ty), owner, function })
        }))
    }

    fn call_into(&mut self, name: &str, args: &[Value], results: &mut [Value]) -> Result<()> {
        let function = self.resolve(name)?;
        let mut strategy = AnySignature::of(&function.ty);
        strategy.call(&function, &mut self.live, args, results).map_err(|error| error.in_function(name))
    }

    fn global(&mut self, name: &str) -> Result<Value> {
        lookup::check_global(self.live.core.info(), name)?;
        let mut scope = RootScope::new(&mut self.live.store);
        let Some(Extern::Global(global)) = self.instance.get_export(&mut scope, name) else {
            return Err(lookup::no_such_export(self.live.core.info(), "global", name));
        };
        let val = global.get(&mut scope);
        convert::from_val(scope.as_context_mut(), &val)
    }

    fn memory_size(&mut self, name: &str) -> Result<u64> {
        self.with_memory(name, |bytes| bytes.len() as u64)
    }

    fn read_memory(&mut self, name: &str, offset: u64, buffer: &mut [u8]) -> Result<()> {
        self.with_memory(name, |bytes| memory::read(bytes, offset, buffer))?
    }

    fn write_memory(&mut self, name: &str, offset: u64, bytes: &[u8]) -> Result<()> {
        self.with_memory(name, |memory| memory::write(memory, offset, bytes))?
    }
}

impl FuelCounter for WasmtimeInstance {
    fn fuel_state(&mut self) -> Option<&mut FuelState> {
        self.live.fuel_state.as_mut()
    }

    fn left(&mut self) -> i64 {
        fuel::left(&self.live.store)
    }

    fn set_left(&mut self, left: i64) {
        fuel::set_left(&mut self.live.store, left);
    }
}

impl<S: CallStrategy> WasmFunctionCaller for WasmtimeFunctionCaller<S> {
    fn ty(&self) -> &FuncType {
        &self.function.ty
    }

    #[inline]
    fn call(&mut self, instance: &mut dyn WasmInstance, args: &[Value], results: &mut [Value]) -> Result<()> {
        self.strategy.call(&self.function, parts_of(instance, self.owner)?, args, results)
    }
}

/// Returns the instance with this number.
///
/// # Errors
/// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if it is another instance.
#[inline]
fn parts_of(instance: &mut dyn WasmInstance, owner: u64) -> Result<&mut LiveModule> {
    match instance.as_any_mut().downcast_mut::<WasmtimeInstance>() {
        Some(instance) if instance.live.core.id() == owner => Ok(&mut instance.live),
        _ => Err(signature::other_instance()),
    }
}

impl sealed::LinkedLoop for WasmtimeLoop {
    fn call(&mut self, instance: &mut dyn WasmInstance, rows: i32) -> Result<()> {
        Self::call(self, parts_of(instance, self.owner)?, rows)
    }

    fn with_memory(&mut self, instance: &mut dyn WasmInstance, access: &mut dyn FnMut(&mut [u8])) -> Result<()> {
        access(self.memory(parts_of(instance, self.owner)?));
        Ok(())
    }
}
