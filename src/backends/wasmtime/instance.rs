//! A living module, and its resolved functions.
#![expect(unsafe_code, reason = "numeric calls go through raw slots, without a check or an allocation each")]

use std::fmt;

use wasmtime::{AsContextMut, Extern, Func, Instance, RootScope, Store, ValRaw};

use super::convert::Kind;
use super::limits::Guest;
use super::raw::{self, RawCall};
use super::{convert, memory, metering, stack};
use crate::error::Result;
use crate::runtime::core::{InstanceCore, Seat};
use crate::runtime::fuel::{Gauge, Tank};
use crate::runtime::traits::{WasmFunctionCaller, WasmInstance};
use crate::runtime::{access, signature};
use crate::value::types::{FuncType, ValType, Value};

/// An instance in a store of its own.
pub struct WasmtimeInstance {
    pub(super) core: InstanceCore,
    pub(super) store: Store<Guest>,
    pub(super) stack: usize,
    pub(super) tank: Option<Tank>,
    instance: Instance,
}

impl WasmtimeInstance {
    pub(super) fn new(
        core: InstanceCore,
        store: Store<Guest>,
        instance: Instance,
        stack: usize,
        tank: Option<Tank>,
    ) -> Self {
        Self { core, store, stack, tank, instance }
    }

    fn memory<R>(&mut self, name: &str, access: impl FnOnce(&mut [u8]) -> R) -> Result<R> {
        let export = self.instance.get_export(&mut self.store, name);
        let opened = export.and_then(|export| memory::of(&mut self.store, export, access));
        opened.ok_or_else(|| access::no_such_export(self.core.info(), "memory", name))
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

    fn gauge(&mut self) -> &mut dyn Gauge {
        self
    }

    fn seat(&mut self) -> Seat<'_> {
        Seat::new(self.core.id(), self)
    }

    fn as_dyn_mut(&mut self) -> &mut dyn WasmInstance {
        self
    }

    fn function(&mut self, name: &str) -> Result<Box<dyn WasmFunctionCaller>> {
        let ty = signature::find_function(self.core.info(), name)?.clone();
        signature::check_passable(name, &ty)?;
        let Some(func) = self.instance.get_func(&mut self.store, name) else {
            return Err(access::no_such_export(self.core.info(), "func", name));
        };
        let (raw, numeric) = (raw::prepare(&ty), Numeric::of(&ty));
        Ok(Box::new(WasmtimeFunctionCaller { raw, owner: self.core.id(), func, ty, numeric }))
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
        self.memory(name, |bytes| bytes.len() as u64)
    }

    fn read_memory(&mut self, name: &str, offset: u64, buffer: &mut [u8]) -> Result<()> {
        self.memory(name, |bytes| access::read(bytes, offset, buffer))?
    }

    fn write_memory(&mut self, name: &str, offset: u64, bytes: &[u8]) -> Result<()> {
        self.memory(name, |memory| access::write(memory, offset, bytes))?
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
    /// The quickest way, where the signature is common.
    raw: Option<RawCall>,
    owner: u64,
    pub(super) func: Func,
    pub(super) ty: FuncType,
    /// The next way, where all types are numeric.
    numeric: Option<Numeric>,
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

    #[inline]
    fn call(&mut self, instance: &mut dyn WasmInstance, args: &[Value], results: &mut [Value]) -> Result<()> {
        // SAFETY: the owner's number is one of a `WasmtimeInstance`, which made this handle.
        let Some(instance) = (unsafe { instance.seat().of::<WasmtimeInstance>(self.owner) }) else {
            return Err(signature::other_instance());
        };
        match self.raw {
            Some(call) => call(self, instance, args, results),
            None => self.call_uncommon(instance, args, results),
        }
    }
}

impl WasmtimeFunctionCaller {
    fn call_uncommon(&mut self, instance: &mut WasmtimeInstance, args: &[Value], results: &mut [Value]) -> Result<()> {
        let WasmtimeInstance { core, store, stack: room, tank, .. } = instance;
        let Self { func, ty, numeric, .. } = self;
        signature::check_call(ty, args, results.len())?;
        core.life().run(|| {
            stack::on_enough(*room, || match numeric {
                Some(numeric) => numeric.call(store, *func, tank, args, results),
                None => call_dynamic(store, *func, ty, tank, args, results),
            })
        })
    }
}

/// A signature of numbers and vectors only, and raw slots for its parameters and then its results.
struct Numeric {
    results: Box<[Kind]>,
    slots: Box<[ValRaw]>,
}

impl Numeric {
    /// The slots of a signature; `None` where it has references, which need a root in the store.
    fn of(ty: &FuncType) -> Option<Self> {
        let kinds = |types: &[ValType]| types.iter().map(Kind::of).collect::<Option<Box<[Kind]>>>();
        let (params, results) = (kinds(ty.params())?, kinds(ty.results())?);
        let slots = vec![ValRaw::i64(0); params.len().max(results.len())].into();
        Some(Self { results, slots })
    }

    /// Calls a function of this signature with arguments that fit it.
    fn call(
        &mut self,
        store: &mut Store<Guest>,
        func: Func,
        tank: &mut Option<Tank>,
        args: &[Value],
        results: &mut [Value],
    ) -> Result<()> {
        self.slots.iter_mut().zip(args).for_each(|(slot, arg)| convert::put(slot, arg));
        // SAFETY: `func` is of this store (the handle is the instance's own) and has this signature, whose parameters
        // stand in the first slots (`check_call` compared their types); there are as many slots as parameters or
        // results, whichever are more; none is a reference.
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
