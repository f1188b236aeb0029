//! Typed calls for the common signatures: unlike Wasmer's dynamic calls, they do not allocate.

use wasmer::{FromToNativeWasmType, Function, RuntimeError, Store, TypedFunction};

use super::fuel::GuestGlobals;
use crate::error::Result;
use crate::runtime::status::InstanceStatus;
use crate::value::number::{Number, with_common_params, with_number};
use crate::value::types::{FuncType, ValType, Value};

/// A call of one function. Returns `None`, without a call, if the arguments or results do not match the signature.
pub(super) type TypedCall = Box<dyn Fn(LiveModule<'_>, &[Value], &mut [Value]) -> Option<Result<()>> + Send>;

/// The parts of an instance that a call needs.
pub(super) struct LiveModule<'i> {
    pub(super) status: &'i InstanceStatus,
    pub(super) store: &'i mut Store,
    pub(super) globals: &'i mut GuestGlobals,
}

/// A number that the engine's typed functions accept.
pub(super) trait Native: Number + FromToNativeWasmType {}

impl<N: Number + FromToNativeWasmType> Native for N {}

/// Makes one call and updates the instance's status.
#[inline]
fn call<R>(live: LiveModule<'_>, call: impl FnOnce(&mut Store) -> Result<R, RuntimeError>) -> Result<R> {
    let LiveModule { status, store, globals } = live;
    match status.begin() {
        Some(running) => {
            let called = call(store);
            running.end(globals.finish_call(store, called))
        }
        None => status.run(|| {
            let called = call(store);
            globals.finish_call(store, called)
        }),
    }
}

/// Defines a generic function that prepares calls with one number of parameters.
macro_rules! arity {
    ($name:ident $(, $param:ident $arg:ident)*) => {
        #[allow(unused_parens, reason = "the macro also expands without parameters and with one")]
        fn $name<$($param: Native),*>(function: &Function, store: &Store, results: &[ValType]) -> Option<TypedCall> {
            match results {
                [] => {
                    let typed: TypedFunction<($($param),*), ()> = function.typed(store).ok()?;
                    Some(Box::new(move |live: LiveModule<'_>, args: &[Value], results: &mut [Value]| match args {
                        [$($arg),*] if results.is_empty() => {
                            $(let $arg = $param::of($arg)?;)*
                            Some(call(live, |store| typed.call(store, $($arg),*)))
                        }
                        _ => None,
                    }))
                }
                [one] => with_number!(one, R => {
                    let typed: TypedFunction<($($param),*), R> = function.typed(store).ok()?;
                    Some(Box::new(move |live: LiveModule<'_>, args: &[Value], results: &mut [Value]| match (args, results) {
                        ([$($arg),*], [result]) => {
                            $(let $arg = $param::of($arg)?;)*
                            let called = call(live, |store| typed.call(store, $($arg),*));
                            Some(called.map(|number| *result = number.value()))
                        }
                        _ => None,
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

/// Prepares calls if the signature is common: up to two numeric parameters of any types or four of one type, and at most one
/// numeric result.
pub(super) fn prepare(function: &Function, store: &Store, ty: &FuncType) -> Option<TypedCall> {
    let results = ty.results();
    with_common_params!(ty.params(), nullary, unary, binary, ternary, quaternary, (function, store, results))
}
