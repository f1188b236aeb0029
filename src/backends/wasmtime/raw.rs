//! Calls prepared for the common signatures: values go to raw slots and back without asking for their types again.
#![expect(unsafe_code, reason = "the engine's raw call takes slots as they are")]

use std::marker::PhantomData;

use wasmtime::{Func, ValRaw};

use super::caller::{CallStrategy, Resolved, WasmtimeFunctionCaller};
use super::instance::WasmtimeInstance;
use super::{fuel, stack};
use crate::error::Result;
use crate::runtime::signature;
use crate::runtime::traits::WasmFunctionCaller;
use crate::value::number::{Number, with_common_params, with_number};
use crate::value::types::{FuncType, Value};

/// A number that fits a raw slot. Each is written in its own width.
trait RawSlot: Number {
    fn put(self) -> ValRaw;
    fn get(slot: &ValRaw) -> Self;
}

macro_rules! slot {
    ($($rust:ty: $put:expr, $get:expr;)*) => { $(
        impl RawSlot for $rust {
            #[inline]
            fn put(self) -> ValRaw {
                $put(self)
            }

            #[inline]
            fn get(slot: &ValRaw) -> Self {
                $get(slot)
            }
        }
    )* };
}

slot! {
    i32: ValRaw::i32, ValRaw::get_i32;
    i64: ValRaw::i64, ValRaw::get_i64;
    f32: |v: f32| ValRaw::f32(v.to_bits()), |slot: &ValRaw| f32::from_bits(slot.get_f32());
    f64: |v: f64| ValRaw::f64(v.to_bits()), |slot: &ValRaw| f64::from_bits(slot.get_f64());
}

/// What a signature returns: nothing, or one number.
trait Returned {
    const COUNT: usize;
    fn take(slots: &[ValRaw], results: &mut [Value]);
}

impl Returned for () {
    const COUNT: usize = 0;

    #[inline]
    fn take(_: &[ValRaw], _: &mut [Value]) {}
}

impl<R: RawSlot> Returned for (R,) {
    const COUNT: usize = 1;

    #[inline]
    fn take(slots: &[ValRaw], results: &mut [Value]) {
        results[0] = R::get(&slots[0]).value();
    }
}

/// The call of a function with these parameters and results.
struct Common<P, R>(PhantomData<fn(P) -> R>);

/// Calls with the slots filled for the function's type, and as many as its results need.
#[inline(always)]
#[expect(clippy::inline_always, reason = "another frame, with all registers saved again, is a twentieth of a call")]
fn call<R: Returned, const N: usize>(
    func: Func,
    instance: &mut WasmtimeInstance,
    mut slots: [ValRaw; N],
    results: &mut [Value],
) -> Result<()> {
    if stack::has(instance.stack)
        && let Some(running) = instance.core.status().begin()
    {
        // SAFETY: the function is of this store (the handle is the instance's own) and has the type this call was
        // prepared for, whose parameters stand in the slots; none is a reference.
        let ran = unsafe { func.call_unchecked(&mut instance.store, &raw mut slots) };
        running.end(fuel::finish_call(&mut instance.store, &mut instance.fuel_state, ran))?;
    } else {
        call_with_care(func, instance, &mut slots)?;
    }
    R::take(&slots, results);
    Ok(())
}

/// The same where the stack may have to be changed, or the guest may be ordered about or take no calls.
#[cold]
fn call_with_care(func: Func, instance: &mut WasmtimeInstance, slots: &mut [ValRaw]) -> Result<()> {
    let WasmtimeInstance { core, store, stack, fuel_state, .. } = instance;
    core.status().run(|| {
        stack::on_enough(*stack, || {
            // SAFETY: as in `call`, which this is called by.
            let ran = unsafe { func.call_unchecked(&mut *store, std::ptr::from_mut(slots)) };
            fuel::finish_call(store, fuel_state, ran)
        })
    })
}

#[cold]
fn misfit(ty: &FuncType, args: &[Value], results: &[Value]) -> Result<()> {
    signature::check_call(ty, args, results.len())
}

/// Makes the calls of one arity, and the choice of one by the type of the result.
macro_rules! arity {
    ($choose:ident $(, $param:ident $arg:ident)*) => {
        impl<$($param: RawSlot,)* R: Returned> CallStrategy for Common<($($param,)*), R> {
            #[inline]
            fn call(
                &mut self,
                Resolved { func, ty }: &Resolved,
                instance: &mut WasmtimeInstance,
                args: &[Value],
                results: &mut [Value],
            ) -> Result<()> {
                if results.len() == R::COUNT
                    && let [$($arg),*] = args
                    $(&& let Some($arg) = $param::of($arg))*
                {
                    // One slot more than parameters, for the result of a function without any.
                    let slots = [$($arg.put(),)* ValRaw::i64(0)];
                    return call::<R, _>(*func, instance, slots, results);
                }
                misfit(ty, args, results)
            }
        }

        fn $choose<$($param: RawSlot),*>(owner: u64, resolved: &Resolved) -> Option<Box<dyn WasmFunctionCaller>> {
            match resolved.ty.results() {
                [] => Some(boxed::<($($param,)*), ()>(owner, resolved)),
                [one] => with_number!(one, R => Some(boxed::<($($param,)*), (R,)>(owner, resolved))),
                _ => None,
            }
        }
    };
}

fn boxed<P: 'static, R: 'static>(owner: u64, resolved: &Resolved) -> Box<dyn WasmFunctionCaller>
where
    Common<P, R>: CallStrategy,
{
    Box::new(WasmtimeFunctionCaller::new(Common::<P, R>(PhantomData), owner, resolved.clone()))
}

arity! { nullary }
arity! { unary, A a }
arity! { binary, A a, B b }
arity! { ternary, A a, B b, C c }
arity! { quaternary, A a, B b, C c, D d }

/// The handle of a function with a common signature: up to two numbers of any types or four of one, and at most one
/// number in return.
pub(super) fn prepare(owner: u64, resolved: &Resolved) -> Option<Box<dyn WasmFunctionCaller>> {
    with_common_params!(resolved.ty.params(), nullary, unary, binary, ternary, quaternary, (owner, resolved))
}
