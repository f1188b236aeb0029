//! Typed functions for the common signatures: Wasmer's dynamic call allocates, its typed call does not.

use wasmer::{FromToNativeWasmType, Function, RuntimeError, Store, TypedFunction};

use super::instance::WasmerInstance;
use crate::error::Result;
use crate::runtime::signature;
use crate::value::number::{Number, with_common_params, with_number};
use crate::value::types::{FuncType, ValType, Value};

/// A call prepared for one signature, of a function of the instance it is given.
pub(super) type TypedCall = Box<dyn Fn(&mut WasmerInstance, &FuncType, &[Value], &mut [Value]) -> Result<()> + Send>;

/// A number that the engine's typed functions take.
trait Native: Number + FromToNativeWasmType {}

impl<N: Number + FromToNativeWasmType> Native for N {}

/// Makes one call and keeps the instance's state true.
#[inline]
fn call<R>(instance: &mut WasmerInstance, call: impl FnOnce(&mut Store) -> Result<R, RuntimeError>) -> Result<R> {
    let WasmerInstance { core, store, meter, .. } = instance;
    match core.life().begin() {
        Some(running) => {
            let called = call(store);
            running.end(meter.settle(store, called))
        }
        None => core.life().run(|| {
            let called = call(store);
            meter.settle(store, called)
        }),
    }
}

#[cold]
fn misfit(ty: &FuncType, args: &[Value], results: &[Value]) -> Result<()> {
    signature::check_call(ty, args, results.len())
}

/// Makes the generic function that prepares a call of one arity.
macro_rules! arity {
    ($name:ident $(, $param:ident $arg:ident)*) => {
        #[allow(unused_parens, reason = "the same macro makes the call without parameters and with one")]
        fn $name<$($param: Native),*>(function: &Function, store: &Store, results: &[ValType]) -> Option<TypedCall> {
            match results {
                [] => {
                    let typed: TypedFunction<($($param),*), ()> = function.typed(store).ok()?;
                    Some(Box::new(move |instance, ty, args, results| match args {
                        [$($arg),*] if results.is_empty() => {
                            $(let Some($arg) = $param::of($arg) else { return misfit(ty, args, results) };)*
                            call(instance, |store| typed.call(store, $($arg),*))
                        }
                        _ => misfit(ty, args, results),
                    }))
                }
                [one] => with_number!(one, R => {
                    let typed: TypedFunction<($($param),*), R> = function.typed(store).ok()?;
                    Some(Box::new(move |instance, ty, args, results| match (args, &mut *results) {
                        ([$($arg),*], [result]) => {
                            $(let Some($arg) = $param::of($arg) else { return misfit(ty, args, results) };)*
                            *result = call(instance, |store| typed.call(store, $($arg),*))?.value();
                            Ok(())
                        }
                        _ => misfit(ty, args, results),
                    }))
                }),
                _ => None,
            }
        }
    };
}

arity! { nullary }
arity! { unary, A a }
arity! { binary, A a, B b }
arity! { ternary, A a, B b, C c }
arity! { quaternary, A a, B b, C c, D d }

/// Prepares a call where the signature is common: up to two numbers of any types or four of one, and at most one
/// number in return.
pub(super) fn prepare(function: &Function, store: &Store, ty: &FuncType) -> Option<TypedCall> {
    let results = ty.results();
    with_common_params!(ty.params(), nullary, unary, binary, ternary, quaternary, (function, store, results))
}
