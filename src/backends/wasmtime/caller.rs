//! Resolved functions and their calls.
#![expect(unsafe_code, reason = "numeric calls use raw slots")]

use smallvec::SmallVec;
use wasmtime::{AsContextMut, Func, RootScope, Store, ValRaw};

use super::convert::RawType;
use super::limits::StoreData;
use super::{convert, fuel, stack};
use crate::error::Result;
use crate::runtime::fuel::FuelState;
use crate::runtime::owner::InstanceCore;
use crate::runtime::signature;
use crate::value::types::{FuncType, Value};

/// A resolved function of a [`WasmtimeInstance`](super::WasmtimeInstance). Common signatures have their own strategies.
#[derive(derive_more::Debug)]
#[debug("WasmtimeFunctionCaller({})", function.ty)]
pub struct WasmtimeFunctionCaller<S = AnySignature> {
    pub(super) strategy: S,
    /// The number of the function's instance.
    pub(super) owner: u64,
    pub(super) function: ResolvedFunction,
}

/// A function and its type.
#[derive(Clone)]
pub(super) struct ResolvedFunction {
    pub(super) func: Func,
    pub(super) ty: FuncType,
}

/// The parts of an instance that a call needs.
pub(super) struct LiveModule {
    pub(super) core: InstanceCore,
    pub(super) store: Store<StoreData>,
    /// The stack that a call needs, in bytes.
    pub(super) stack_bytes: usize,
    pub(super) fuel_state: Option<FuelState>,
}

/// How to call the functions of one signature.
pub(super) trait CallStrategy: Send {
    /// Calls a function, which must belong to the instance.
    fn call(
        &mut self,
        function: &ResolvedFunction,
        live: &mut LiveModule,
        args: &[Value],
        results: &mut [Value],
    ) -> Result<()>;
}

/// The strategy for functions of any signature.
pub struct AnySignature {
    /// Set if there are no references in the signature.
    raw: Option<RawSignature>,
}

impl AnySignature {
    pub(super) fn of(ty: &FuncType) -> Self {
        Self { raw: RawSignature::of(ty) }
    }
}

impl CallStrategy for AnySignature {
    fn call(
        &mut self,
        ResolvedFunction { func, ty }: &ResolvedFunction,
        live: &mut LiveModule,
        args: &[Value],
        results: &mut [Value],
    ) -> Result<()> {
        let LiveModule { core, store, stack_bytes, fuel_state } = live;
        signature::check_call(ty, args, results.len())?;
        core.status().run(|| {
            stack::with_room(*stack_bytes, || match &mut self.raw {
                Some(raw) => raw.call(store, *func, fuel_state, args, results),
                None => call_dynamic(store, *func, ty, fuel_state, args, results),
            })
        })
    }
}

/// A signature without references, and the raw slots for its parameters, then its results.
struct RawSignature {
    results: SmallVec<[RawType; 8]>,
    slots: SmallVec<[ValRaw; 4]>,
}

impl RawSignature {
    /// Allocates the slots; returns `None` if the signature has references, which need a root in the store.
    fn of(ty: &FuncType) -> Option<Self> {
        if ty.params().iter().any(|ty| RawType::of(ty).is_none()) {
            return None;
        }
        let results = ty.results().iter().map(RawType::of).collect::<Option<SmallVec<_>>>()?;
        let slots = SmallVec::from_elem(ValRaw::i64(0), ty.params().len().max(results.len()));
        Some(Self { results, slots })
    }

    /// Calls a function of this signature. The arguments must have the types of its parameters.
    fn call(
        &mut self,
        store: &mut Store<StoreData>,
        func: Func,
        fuel_state: &mut Option<FuelState>,
        args: &[Value],
        results: &mut [Value],
    ) -> Result<()> {
        self.slots.iter_mut().zip(args).for_each(|(slot, arg)| convert::write_raw(slot, arg));
        // SAFETY: `func` belongs to this store (`CallStrategy::call` requires it) and has this signature. The first slots
        // hold arguments of the parameters' types (`check_call` compared them). There are enough slots for the parameters
        // and for the results. None of the values is a reference.
        let called = unsafe { func.call_unchecked(&mut *store, std::ptr::from_mut::<[ValRaw]>(&mut self.slots)) };
        fuel::finish_call(store, fuel_state, called)?;
        for ((result, slot), ty) in results.iter_mut().zip(&self.slots).zip(&self.results) {
            *result = convert::read_raw(slot, *ty);
        }
        Ok(())
    }
}

/// Calls a function that takes or returns references. Their roots live until the call returns.
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
    let mut vals = convert::default_values(ty.results());
    let called = func.call(&mut scope, &params, &mut vals);
    fuel::finish_call(&mut scope, fuel_state, called)?;
    for (result, val) in results.iter_mut().zip(&vals) {
        *result = convert::from_val(scope.as_context_mut(), val)?;
    }
    Ok(())
}
