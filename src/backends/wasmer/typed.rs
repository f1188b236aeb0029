//! Typed functions for the common signatures: Wasmer's dynamic call allocates, its typed call does not.

use wasmer::{FromToNativeWasmType, Function, RuntimeError, Store, TypedFunction};

use crate::value::number::{Number, with_common_params, with_number};
use crate::value::types::{FuncType, ValType, Value};

/// A call prepared for one signature; the caller has checked arguments and room for results against it.
pub(super) type TypedCall = Box<dyn Fn(&mut Store, &[Value], &mut [Value]) -> Result<(), RuntimeError> + Send>;

/// A number that the engine's typed functions take.
trait Native: Number + FromToNativeWasmType + Default {
    /// The number of a value that was checked to be one.
    fn checked(value: &Value) -> Self {
        Self::of(value).unwrap_or_default()
    }
}

impl<N: Number + FromToNativeWasmType + Default> Native for N {}

/// Makes the generic function that prepares a call of one arity.
macro_rules! arity {
    ($name:ident $(, $param:ident = $at:literal)*) => {
        #[allow(unused_variables, unused_parens, reason = "the same macro makes the call without parameters and with one")]
        fn $name<$($param: Native),*>(function: &Function, store: &Store, results: &[ValType]) -> Option<TypedCall> {
            match results {
                [] => {
                    let typed: TypedFunction<($($param),*), ()> = function.typed(store).ok()?;
                    Some(Box::new(move |store, args, _| typed.call(store, $(<$param>::checked(&args[$at])),*)))
                }
                [one] => with_number!(one, R => {
                    let typed: TypedFunction<($($param),*), R> = function.typed(store).ok()?;
                    Some(Box::new(move |store, args, results| {
                        results[0] = typed.call(store, $(<$param>::checked(&args[$at])),*)?.value();
                        Ok(())
                    }))
                }),
                _ => None,
            }
        }
    };
}

arity! { nullary }
arity! { unary, A = 0 }
arity! { binary, A = 0, B = 1 }
arity! { ternary, A = 0, B = 1, C = 2 }
arity! { quaternary, A = 0, B = 1, C = 2, D = 3 }

/// Prepares a call where the signature is common: up to two numbers of any types or four of one, and at most one
/// number in return.
pub(super) fn prepare(function: &Function, store: &Store, ty: &FuncType) -> Option<TypedCall> {
    let results = ty.results();
    with_common_params!(ty.params(), nullary, unary, binary, ternary, quaternary, (function, store, results))
}
