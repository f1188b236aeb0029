//! Resolved functions.
#![expect(unsafe_code, reason = "a handle finds its instance, and numeric calls go through raw slots")]

use std::fmt;

use smallvec::SmallVec;
use wasmtime::{AsContextMut, Func, RootScope, Store, ValRaw};

use super::convert::Kind;
use super::instance::WasmtimeInstance;
use super::limits::StoreData;
use super::{convert, fuel, raw, stack};
use crate::error::Result;
use crate::runtime::fuel::FuelState;
use crate::runtime::signature;
use crate::runtime::traits::{WasmFunctionCaller, WasmInstance};
use crate::value::types::{FuncType, Value};

/// A resolved function of a [`WasmtimeInstance`](super::WasmtimeInstance). Functions of common signatures are called in a manner
/// of their own.
pub struct WasmtimeFunctionCaller<M = AnySignature> {
    strategy: M,
    owner: u64,
    resolved: Resolved,
}

/// A function, and its type.
#[derive(Clone)]
pub(super) struct Resolved {
    pub(super) func: Func,
    pub(super) ty: FuncType,
}

/// How functions of one signature are called.
pub(super) trait CallStrategy: Send {
    /// Calls a function on its own instance.
    fn call(
        &mut self,
        resolved: &Resolved,
        instance: &mut WasmtimeInstance,
        args: &[Value],
        results: &mut [Value],
    ) -> Result<()>;
}

impl<M> WasmtimeFunctionCaller<M> {
    pub(super) fn new(strategy: M, owner: u64, resolved: Resolved) -> Self {
        Self { strategy, owner, resolved }
    }
}

/// The handle of a function, in the quickest manner there is for its signature.
pub(super) fn prepare(owner: u64, resolved: Resolved) -> Box<dyn WasmFunctionCaller> {
    raw::prepare(owner, &resolved)
        .unwrap_or_else(|| Box::new(WasmtimeFunctionCaller::new(AnySignature::of(&resolved.ty), owner, resolved)))
}

impl<M> fmt::Debug for WasmtimeFunctionCaller<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WasmtimeFunctionCaller({})", self.resolved.ty)
    }
}

impl<M: CallStrategy> WasmFunctionCaller for WasmtimeFunctionCaller<M> {
    fn ty(&self) -> &FuncType {
        &self.resolved.ty
    }

    #[inline]
    fn call(&mut self, instance: &mut dyn WasmInstance, args: &[Value], results: &mut [Value]) -> Result<()> {
        // SAFETY: the owner's number is one of a `WasmtimeInstance`, which made this handle.
        match unsafe { instance.seat().of::<WasmtimeInstance>(self.owner) } {
            Some(instance) => self.strategy.call(&self.resolved, instance, args, results),
            None => Err(signature::other_instance()),
        }
    }
}

/// The call of any signature.
pub struct AnySignature {
    /// The quicker way, where all types are numeric.
    numeric: Option<Numeric>,
}

impl AnySignature {
    /// The manner for functions of this type.
    pub(super) fn of(ty: &FuncType) -> Self {
        Self { numeric: Numeric::of(ty) }
    }
}

impl CallStrategy for AnySignature {
    fn call(
        &mut self,
        Resolved { func, ty }: &Resolved,
        instance: &mut WasmtimeInstance,
        args: &[Value],
        results: &mut [Value],
    ) -> Result<()> {
        let WasmtimeInstance { core, store, stack: room, fuel_state, .. } = instance;
        signature::check_call(ty, args, results.len())?;
        core.status().run(|| {
            stack::on_enough(*room, || match &mut self.numeric {
                Some(numeric) => numeric.call(store, *func, fuel_state, args, results),
                None => call_dynamic(store, *func, ty, fuel_state, args, results),
            })
        })
    }
}

/// A signature of numbers and vectors only, and raw slots for its parameters and then its results.
struct Numeric {
    results: SmallVec<[Kind; 8]>,
    slots: SmallVec<[ValRaw; 4]>,
}

impl Numeric {
    /// The slots of a signature; `None` where it has references, which need a root in the store.
    fn of(ty: &FuncType) -> Option<Self> {
        if ty.params().iter().any(|ty| Kind::of(ty).is_none()) {
            return None;
        }
        let results = ty.results().iter().map(Kind::of).collect::<Option<SmallVec<_>>>()?;
        let slots = SmallVec::from_elem(ValRaw::i64(0), ty.params().len().max(results.len()));
        Some(Self { results, slots })
    }

    /// Calls a function of this signature with arguments that fit it.
    fn call(
        &mut self,
        store: &mut Store<StoreData>,
        func: Func,
        fuel_state: &mut Option<FuelState>,
        args: &[Value],
        results: &mut [Value],
    ) -> Result<()> {
        self.slots.iter_mut().zip(args).for_each(|(slot, arg)| convert::put(slot, arg));
        // SAFETY: `func` is of this store (the handle is the instance's own) and has this signature, whose parameters
        // stand in the first slots (`check_call` compared their types); there are as many slots as parameters or
        // results, whichever are more; none is a reference.
        let called = unsafe { func.call_unchecked(&mut *store, std::ptr::from_mut::<[ValRaw]>(&mut self.slots)) };
        fuel::finish_call(store, fuel_state, called)?;
        for ((result, slot), kind) in results.iter_mut().zip(&self.slots).zip(&self.results) {
            *result = convert::from_raw(slot, *kind);
        }
        Ok(())
    }
}

/// Calls a function that takes or returns references, which live no longer than the call.
fn call_dynamic(
    store: &mut Store<StoreData>,
    func: Func,
    ty: &FuncType,
    fuel_state: &mut Option<FuelState>,
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
    fuel::finish_call(&mut scope, fuel_state, called)?;
    for (result, val) in results.iter_mut().zip(&vals) {
        *result = convert::from_val(scope.as_context_mut(), val)?;
    }
    Ok(())
}
