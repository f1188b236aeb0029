//! Call strategies for the common signatures, which move values to and from raw slots without looking at their types again.
#![expect(unsafe_code, reason = "the engine does not check the slots of a raw call")]

use std::marker::PhantomData;

use wasmtime::{Func, ValRaw};

use super::caller::{CallStrategy, LiveModule, ResolvedFunction, WasmtimeFunctionCaller};
use super::{fuel, stack};
use crate::error::{Error, ErrorKind, Result};
use crate::runtime::signature;
use crate::runtime::traits::WasmFunctionCaller;
use crate::value::number::{Number, with_common_params, with_number};
use crate::value::types::{FuncType, Value};

/// A number that can be stored in a raw slot.
trait RawSlot: Number {
    fn to_raw(self) -> ValRaw;
    fn from_raw(slot: &ValRaw) -> Self;
}

macro_rules! raw_slot {
    ($($rust:ty: $to_raw:expr, $from_raw:expr;)*) => { $(
        impl RawSlot for $rust {
            #[inline]
            fn to_raw(self) -> ValRaw {
                $to_raw(self)
            }

            #[inline]
            fn from_raw(slot: &ValRaw) -> Self {
                $from_raw(slot)
            }
        }
    )* };
}

raw_slot! {
    i32: ValRaw::i32, ValRaw::get_i32;
    i64: ValRaw::i64, ValRaw::get_i64;
    f32: |v: f32| ValRaw::f32(v.to_bits()), |slot: &ValRaw| f32::from_bits(slot.get_f32());
    f64: |v: f64| ValRaw::f64(v.to_bits()), |slot: &ValRaw| f64::from_bits(slot.get_f64());
}

/// The results of a common signature: none or one number.
trait RawResults {
    const COUNT: usize;
    fn take(slots: &[ValRaw], results: &mut [Value]);
}

impl RawResults for () {
    const COUNT: usize = 0;

    #[inline]
    fn take(_: &[ValRaw], _: &mut [Value]) {}
}

impl<R: RawSlot> RawResults for (R,) {
    const COUNT: usize = 1;

    #[inline]
    fn take(slots: &[ValRaw], results: &mut [Value]) {
        results[0] = R::from_raw(&slots[0]).value();
    }
}

/// The strategy for functions with the parameters `P` and the results `R`.
struct CommonSignature<P, R>(PhantomData<fn(P) -> R>);

/// Calls `func` with the arguments in `slots`, which must have room for its results.
#[inline(always)]
#[expect(clippy::inline_always, reason = "one more stack frame makes a call 5 % slower")]
fn call<R: RawResults, const N: usize>(
    func: Func,
    live: &mut LiveModule,
    mut slots: [ValRaw; N],
    results: &mut [Value],
) -> Result<()> {
    if stack::has_room(live.stack_bytes)
        && let Some(running) = live.core.status().begin()
    {
        // SAFETY: `func` belongs to this store and has the signature of this strategy. The slots hold arguments of its
        // parameters' types and have room for its results. None of the values is a reference.
        let ran = unsafe { func.call_unchecked(&mut live.store, &raw mut slots) };
        running.end(fuel::finish_call(&mut live.store, &mut live.fuel_state, ran))?;
    } else {
        call_slow(func, live, &mut slots)?;
    }
    R::take(&slots, results);
    Ok(())
}

/// Calls `func` on a new stack if needed, checks for interrupts, and returns an error if the instance accepts no calls.
#[cold]
fn call_slow(func: Func, live: &mut LiveModule, slots: &mut [ValRaw]) -> Result<()> {
    let LiveModule { core, store, stack_bytes, fuel_state } = live;
    core.status().run(|| {
        stack::with_room(*stack_bytes, || {
            // SAFETY: as in `call`, the only caller.
            let ran = unsafe { func.call_unchecked(&mut *store, std::ptr::from_mut(slots)) };
            fuel::finish_call(store, fuel_state, ran)
        })
    })
}

/// Returns the error for values that do not fit the signature.
#[cold]
fn signature_mismatch(ty: &FuncType, args: &[Value], results: &[Value]) -> Result<()> {
    signature::check_call(ty, args, results.len())?;
    Err(Error::new(ErrorKind::Internal, format!("the strategy for calls of {ty} does not fit")))
}

/// Defines the strategies for one number of parameters, and a function that selects one by the result type.
macro_rules! arity {
    ($select:ident $(, $param:ident $arg:ident)*) => {
        impl<$($param: RawSlot,)* R: RawResults> CallStrategy for CommonSignature<($($param,)*), R> {
            #[inline]
            fn call(
                &mut self,
                ResolvedFunction { func, ty }: &ResolvedFunction,
                live: &mut LiveModule,
                args: &[Value],
                results: &mut [Value],
            ) -> Result<()> {
                if results.len() == R::COUNT
                    && let [$($arg),*] = args
                    $(&& let Some($arg) = $param::of($arg))*
                {
                    // The last slot makes room for the result of a function without parameters.
                    let slots = [$($arg.to_raw(),)* ValRaw::i64(0)];
                    return call::<R, _>(*func, live, slots, results);
                }
                signature_mismatch(ty, args, results)
            }
        }

        fn $select<$($param: RawSlot),*>(owner: u64, function: &ResolvedFunction) -> Option<Box<dyn WasmFunctionCaller>> {
            match function.ty.results() {
                [] => Some(boxed::<($($param,)*), ()>(owner, function)),
                [one] => with_number!(one, R => Some(boxed::<($($param,)*), (R,)>(owner, function))),
                _ => None,
            }
        }
    };
}

fn boxed<P: 'static, R: 'static>(owner: u64, function: &ResolvedFunction) -> Box<dyn WasmFunctionCaller>
where
    CommonSignature<P, R>: CallStrategy,
{
    let function = function.clone();
    Box::new(WasmtimeFunctionCaller { strategy: CommonSignature::<P, R>(PhantomData), owner, function })
}

arity! { nullary }
arity! { unary, A a }
arity! { binary, A a, B b }
arity! { ternary, A a, B b, C c }
arity! { quaternary, A a, B b, C c, D d }

/// Creates the handle of a function if its signature is common: up to two numeric parameters of any types or four of one
/// type, and at most one numeric result.
pub(super) fn prepare(owner: u64, function: &ResolvedFunction) -> Option<Box<dyn WasmFunctionCaller>> {
    with_common_params!(function.ty.params(), nullary, unary, binary, ternary, quaternary, (owner, function))
}
