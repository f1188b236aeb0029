//! A living module, and its resolved functions.
#![expect(unsafe_code, reason = "numeric calls go through raw slots, without a check or an allocation each")]

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use wasmtime::{AsContextMut, Extern, Func, Instance, RootScope, Store, ValRaw};

use super::limits::{Guest, on_enough_stack};
use super::{convert, memory, metering};
use crate::error::{Error, ErrorKind, Result};
use crate::module::info::ModuleInfo;
use crate::runtime::fuel::{self, Gauge, Tank};
use crate::runtime::life::{Enrolled, InstanceState};
use crate::runtime::traits::{WasmFunctionCaller, WasmInstance};
use crate::runtime::{access, preflight};
use crate::value::types::{FuncType, Value};

/// An instance in a store of its own.
pub struct WasmtimeInstance {
    store: Store<Guest>,
    instance: Instance,
    info: Arc<ModuleInfo>,
    enrolled: Enrolled,
    stack: u64,
    tank: Option<Tank>,
}

impl WasmtimeInstance {
    pub(super) fn new(
        store: Store<Guest>,
        instance: Instance,
        info: Arc<ModuleInfo>,
        enrolled: Enrolled,
        stack: u64,
        tank: Option<Tank>,
    ) -> Self {
        Self { store, instance, info, enrolled, stack, tank }
    }

    fn memory<R>(&mut self, name: &str, access: impl FnOnce(&mut [u8]) -> R) -> Result<R> {
        let export = self.instance.get_export(&mut self.store, name);
        let opened = export.and_then(|export| memory::of(&mut self.store, export, access));
        opened.ok_or_else(|| access::no_such_export(&self.info, "memory", name))
    }
}

impl fmt::Debug for WasmtimeInstance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WasmtimeInstance").field("info", &self.info).finish_non_exhaustive()
    }
}

impl WasmInstance for WasmtimeInstance {
    fn info(&self) -> &Arc<ModuleInfo> {
        &self.info
    }

    fn state(&self) -> InstanceState {
        self.enrolled.life.state()
    }

    fn recover(&mut self) {
        self.enrolled.life.recover();
    }

    fn function(&mut self, name: &str) -> Result<Box<dyn WasmFunctionCaller>> {
        let ty = preflight::find_function(&self.info, name)?;
        preflight::check_passable(name, ty)?;
        let Some(func) = self.instance.get_func(&mut self.store, name) else {
            return Err(access::no_such_export(&self.info, "func", name));
        };
        let slots = convert::is_numeric(ty).then(|| vec![ValRaw::i64(0); ty.params().len().max(ty.results().len())]);
        Ok(Box::new(WasmtimeFunctionCaller { func, ty: ty.clone(), slots, owner: self.enrolled.life.id() }))
    }

    fn global(&mut self, name: &str) -> Result<Value> {
        access::check_global(&self.info, name)?;
        let mut scope = RootScope::new(&mut self.store);
        let Some(Extern::Global(global)) = self.instance.get_export(&mut scope, name) else {
            return Err(access::no_such_export(&self.info, "global", name));
        };
        let val = global.get(&mut scope);
        convert::from_val(scope.as_context_mut(), &val)
    }

    fn memory_size(&mut self, name: &str) -> Result<u64> {
        self.memory(name, |bytes| bytes.len() as u64)
    }

    fn read_memory(&mut self, name: &str, offset: u64, buffer: &mut [u8]) -> Result<()> {
        self.memory(name, |bytes| access::read(bytes, offset, buffer))?
    }

    fn write_memory(&mut self, name: &str, offset: u64, bytes: &[u8]) -> Result<()> {
        self.memory(name, |memory| access::write(memory, offset, bytes))?
    }

    fn memory_bytes(&self) -> u64 {
        self.enrolled.life.memory().used()
    }

    fn memory_peak_bytes(&self) -> u64 {
        self.enrolled.life.memory().peak()
    }

    fn fuel_used(&mut self) -> Option<u64> {
        fuel::used(self)
    }

    fn fuel_remaining(&mut self) -> Option<u64> {
        fuel::remaining(self)
    }

    fn add_fuel(&mut self, units: u64) -> Result<()> {
        fuel::add(self, units)
    }

    fn reset_fuel(&mut self, limit: u64) -> Result<()> {
        fuel::reset(self, limit)
    }

    fn as_dyn_mut(&mut self) -> &mut dyn WasmInstance {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }
}

impl Gauge for WasmtimeInstance {
    fn tank(&mut self) -> Option<&mut Tank> {
        self.tank.as_mut()
    }

    fn left(&mut self) -> i64 {
        metering::left(&self.store)
    }

    fn set_left(&mut self, left: i64) {
        metering::set_left(&mut self.store, left);
    }
}

/// A resolved function of a [`WasmtimeInstance`].
pub struct WasmtimeFunctionCaller {
    func: Func,
    ty: FuncType,
    /// Room for parameters and results, where all are numeric.
    slots: Option<Vec<ValRaw>>,
    owner: u64,
}

impl fmt::Debug for WasmtimeFunctionCaller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WasmtimeFunctionCaller({})", self.ty)
    }
}

impl WasmFunctionCaller for WasmtimeFunctionCaller {
    fn ty(&self) -> &FuncType {
        &self.ty
    }

    fn call(&mut self, instance: &mut dyn WasmInstance, args: &[Value], results: &mut [Value]) -> Result<()> {
        let instance = instance.as_any_mut().downcast_mut::<WasmtimeInstance>();
        let Some(instance) = instance.filter(|instance| instance.enrolled.life.id() == self.owner) else {
            return Err(Error::new(ErrorKind::InvalidArgument, "the function belongs to another instance"));
        };
        let WasmtimeInstance { store, enrolled, stack, tank, .. } = instance;
        let Self { func, ty, slots, .. } = self;
        let Some(slots) = slots else {
            preflight::check_call(ty, args, results.len())?;
            let call = || on_enough_stack(*stack, || call_dynamic(store, *func, ty, tank, args, results));
            return enrolled.life.run(call);
        };
        fill(slots, ty, args, results.len())?;
        enrolled.life.run(|| on_enough_stack(*stack, || call_raw(store, *func, ty, tank, slots, results)))
    }
}

/// Writes arguments to the first slots, checking them against the type on the way.
#[inline]
fn fill(slots: &mut [ValRaw], ty: &FuncType, args: &[Value], results: usize) -> Result<()> {
    if args.len() == ty.params().len() && results == ty.results().len() {
        let mut filled = slots.iter_mut().zip(args).zip(ty.params());
        if filled.all(|((slot, arg), ty)| convert::to_raw(*arg, ty).map(|raw| *slot = raw).is_some()) {
            return Ok(());
        }
    }
    preflight::check_call(ty, args, results)
}

/// Calls a function whose types are all numeric, with its arguments in the slots.
#[inline]
fn call_raw(
    store: &mut Store<Guest>,
    func: Func,
    ty: &FuncType,
    tank: &mut Option<Tank>,
    slots: &mut [ValRaw],
    results: &mut [Value],
) -> Result<()> {
    // SAFETY: `func` is of this store (the caller compared the owners) and has type `ty`, whose parameters `fill` has
    // checked and written to the first slots; there are as many slots as parameters or results, whichever are more;
    // none is a reference.
    let called = unsafe { func.call_unchecked(&mut *store, std::ptr::from_mut::<[ValRaw]>(slots)) };
    metering::settle(store, tank, called)?;
    for ((result, slot), ty) in results.iter_mut().zip(slots).zip(ty.results()) {
        *result = convert::from_raw(slot, ty);
    }
    Ok(())
}

/// Calls a function that takes or returns references, which live no longer than the call.
fn call_dynamic(
    store: &mut Store<Guest>,
    func: Func,
    ty: &FuncType,
    tank: &mut Option<Tank>,
    args: &[Value],
    results: &mut [Value],
) -> Result<()> {
    let mut scope = RootScope::new(store);
    let mut params = Vec::with_capacity(args.len());
    for arg in args {
        params.push(convert::to_val(&mut scope, *arg)?);
    }
    let mut vals = convert::zeros(ty.results());
    let called = func.call(&mut scope, &params, &mut vals);
    metering::settle(&mut scope, tank, called)?;
    for (result, val) in results.iter_mut().zip(&vals) {
        *result = convert::from_val(scope.as_context_mut(), val)?;
    }
    Ok(())
}
