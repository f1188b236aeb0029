//! A living module, and its resolved functions.
#![expect(unsafe_code, reason = "numeric calls go through raw slots, without a check or an allocation each")]

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use wasmtime::{AsContextMut, Extern, Func, Instance, RootScope, Store, ValRaw};

use super::convert::Kind;
use super::limits::Guest;
use super::{convert, memory, metering, stack};
use crate::error::{Error, ErrorKind, Result};
use crate::module::info::ModuleInfo;
use crate::runtime::fuel::{self, Gauge, Tank};
use crate::runtime::life::{Enrolled, InstanceState};
use crate::runtime::traits::{WasmFunctionCaller, WasmInstance};
use crate::runtime::{access, preflight};
use crate::value::types::{FuncType, ValType, Value};

/// An instance in a store of its own.
pub struct WasmtimeInstance {
    store: Store<Guest>,
    instance: Instance,
    info: Arc<ModuleInfo>,
    enrolled: Enrolled,
    stack: usize,
    tank: Option<Tank>,
}

impl WasmtimeInstance {
    pub(super) fn new(
        store: Store<Guest>,
        instance: Instance,
        info: Arc<ModuleInfo>,
        enrolled: Enrolled,
        stack: usize,
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
        let numeric = Numeric::of(ty);
        Ok(Box::new(WasmtimeFunctionCaller { func, ty: ty.clone(), numeric, owner: self.enrolled.life.id() }))
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
    /// The quick way, where all types are numeric.
    numeric: Option<Numeric>,
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
        let WasmtimeInstance { store, enrolled, stack: room, tank, .. } = instance;
        let Self { func, ty, numeric, .. } = self;
        let Some(numeric) = numeric else {
            preflight::check_call(ty, args, results.len())?;
            let call = || stack::on_enough(*room, || call_dynamic(store, *func, ty, tank, args, results));
            return enrolled.life.run(call);
        };
        if !numeric.fill(args, results.len()) {
            return preflight::check_call(ty, args, results.len());
        }
        enrolled.life.run(|| stack::on_enough(*room, || numeric.call(store, *func, tank, results)))
    }
}

/// A signature of numbers and vectors only, and raw slots for its parameters and then its results.
struct Numeric {
    params: Box<[Kind]>,
    results: Box<[Kind]>,
    slots: Box<[ValRaw]>,
}

impl Numeric {
    /// The slots of a signature; `None` where it has references, which need a root in the store.
    fn of(ty: &FuncType) -> Option<Self> {
        let kinds = |types: &[ValType]| types.iter().map(Kind::of).collect::<Option<Box<[Kind]>>>();
        let (params, results) = (kinds(ty.params())?, kinds(ty.results())?);
        let slots = vec![ValRaw::i64(0); params.len().max(results.len())].into();
        Some(Self { params, results, slots })
    }

    /// Writes arguments to the first slots; whether they, and the room for results, fit the signature.
    #[inline]
    fn fill(&mut self, args: &[Value], results: usize) -> bool {
        if args.len() != self.params.len() || results != self.results.len() {
            return false;
        }
        let mut slots = self.slots.iter_mut().zip(&self.params).zip(args);
        slots.all(|((slot, kind), arg)| convert::put(slot, arg) == Some(*kind))
    }

    /// Calls a function of this signature with the arguments that [`Numeric::fill`] accepted.
    #[inline]
    fn call(
        &mut self,
        store: &mut Store<Guest>,
        func: Func,
        tank: &mut Option<Tank>,
        results: &mut [Value],
    ) -> Result<()> {
        // SAFETY: `func` is of this store (the caller compared the owners) and has this signature, whose parameters
        // `fill` has checked and written to the first slots; there are as many slots as parameters or results,
        // whichever are more; none is a reference.
        let called = unsafe { func.call_unchecked(&mut *store, std::ptr::from_mut::<[ValRaw]>(&mut self.slots)) };
        metering::settle(store, tank, called)?;
        for ((result, slot), kind) in results.iter_mut().zip(&self.slots).zip(&self.results) {
            *result = convert::from_raw(slot, *kind);
        }
        Ok(())
    }
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
