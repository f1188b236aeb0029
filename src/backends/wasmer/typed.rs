//! Typed functions for the common signatures: Wasmer's dynamic call allocates, its typed call does not.

use wasmer::{FromToNativeWasmType, Function, RuntimeError, Store, TypedFunction};

use crate::value::types::{FuncType, ValType, Value};

/// A call prepared for one signature; the caller has checked arguments and room for results against it.
pub(super) type TypedCall = Box<dyn Fn(&mut Store, &[Value], &mut [Value]) -> Result<(), RuntimeError> + Send>;

/// A Rust type that stands for one numeric value type.
trait Number: FromToNativeWasmType + Copy + Send + 'static {
    fn of(value: Value) -> Self;
    fn value(self) -> Value;
}

macro_rules! number {
    ($($rust:ty => $variant:ident,)*) => { $(
        impl Number for $rust {
            #[inline]
            fn of(value: Value) -> Self {
                match value {
                    Value::$variant(v) => v,
                    _ => <$rust>::default(),
                }
            }

            #[inline]
            fn value(self) -> Value {
                Value::$variant(self)
            }
        }
    )* };
}

number! { i32 => I32, i64 => I64, f32 => F32, f64 => F64, }

/// Names the Rust type of a numeric value type in the code that follows; `None` for the others.
macro_rules! with_number {
    ($ty:expr, $name:ident => $then:expr) => {
        match $ty {
            ValType::I32 => {
                type $name = i32;
                $then
            }
            ValType::I64 => {
                type $name = i64;
                $then
            }
            ValType::F32 => {
                type $name = f32;
                $then
            }
            ValType::F64 => {
                type $name = f64;
                $then
            }
            _ => None,
        }
    };
}

/// Makes the generic function that prepares a call of one arity.
macro_rules! arity {
    ($name:ident $(, $param:ident = $at:literal)*) => {
        #[allow(unused_variables, unused_parens, reason = "the same macro makes the call without parameters and with one")]
        fn $name<$($param: Number),*>(function: &Function, store: &Store, results: &[ValType]) -> Option<TypedCall> {
            match results {
                [] => {
                    let typed: TypedFunction<($($param),*), ()> = function.typed(store).ok()?;
                    Some(Box::new(move |store, args, _| typed.call(store, $(<$param>::of(args[$at])),*)))
                }
                [one] => with_number!(one, R => {
                    let typed: TypedFunction<($($param),*), R> = function.typed(store).ok()?;
                    Some(Box::new(move |store, args, results| {
                        results[0] = typed.call(store, $(<$param>::of(args[$at])),*)?.value();
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
    let (params, results) = (ty.params(), ty.results());
    match params {
        [] => nullary(function, store, results),
        [a] => with_number!(a, A => unary::<A>(function, store, results)),
        [a, b] => with_number!(a, A => with_number!(b, B => binary::<A, B>(function, store, results))),
        [a, b, c] if a == b && b == c => with_number!(a, A => ternary::<A, A, A>(function, store, results)),
        [a, b, c, d] if a == b && b == c && c == d => {
            with_number!(a, A => quaternary::<A, A, A, A>(function, store, results))
        }
        _ => None,
    }
}
