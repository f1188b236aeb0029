//! Typed functions for the common signatures: Wasmer's dynamic call allocates, its typed call does not.

use wasmer::{FromToNativeWasmType, Function, RuntimeError, Store, TypedFunction};

use super::fuel::GuestGlobals;
use crate::error::Result;
use crate::runtime::status::InstanceStatus;
use crate::value::number::{Number, with_common_params, with_number};
use crate::value::types::{FuncType, ValType, Value};

/// A call prepared for one signature, of a function of the instance it is given; `None` where arguments or room for results
/// do not fit it, and nothing ran.
pub(super) type TypedCall = Box<dyn Fn(CallParts<'_>, &[Value], &mut [Value]) -> Option<Result<()>> + Send>;

/// What a call needs of the instance.
pub(super) struct CallParts<'i> {
    pub(super) status: &'i InstanceStatus,
    pub(super) store: &'i mut Store,
    pub(super) globals: &'i mut GuestGlobals,
}

/// As [`TypedCall`], of a type of its own.
trait Typed: Fn(CallParts<'_>, &[Value], &mut [Value]) -> Option<Result<()>> + Send + 'static {}

impl<F: Fn(CallParts<'_>, &[Value], &mut [Value]) -> Option<Result<()>> + Send + 'static> Typed for F {}

/// What is done with a call once it is prepared.
trait Then {
    type Done;

    /// The store of the function.
    fn store(&self) -> &Store;

    fn then(self, call: impl Typed) -> Self::Done;
}

/// It is kept, for a handle.
struct Keep<'s>(&'s Store);

impl Then for Keep<'_> {
    type Done = TypedCall;

    fn store(&self) -> &Store {
        self.0
    }

    fn then(self, call: impl Typed) -> TypedCall {
        Box::new(call)
    }
}

/// It is made at once.
struct Make<'c>(CallParts<'c>, &'c [Value], &'c mut [Value]);

impl Then for Make<'_> {
    type Done = Option<Result<()>>;

    fn store(&self) -> &Store {
        self.0.store
    }

    fn then(self, call: impl Typed) -> Option<Result<()>> {
        call(self.0, self.1, self.2)
    }
}

/// A number that the engine's typed functions take.
trait Native: Number + FromToNativeWasmType {}

impl<N: Number + FromToNativeWasmType> Native for N {}

/// Makes one call and keeps the instance's state true.
#[inline]
fn call<R>(parts: CallParts<'_>, call: impl FnOnce(&mut Store) -> Result<R, RuntimeError>) -> Result<R> {
    let CallParts { status, store, globals } = parts;
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

/// Makes the generic function that prepares a call of one arity.
macro_rules! arity {
    ($name:ident $(, $param:ident $arg:ident)*) => {
        #[allow(unused_parens, reason = "the same macro makes the call without parameters and with one")]
        fn $name<T: Then $(, $param: Native)*>(function: &Function, results: &[ValType], then: T) -> Option<T::Done> {
            match results {
                [] => {
                    let typed: TypedFunction<($($param),*), ()> = function.typed(then.store()).ok()?;
                    Some(then.then(move |parts, args, results| match args {
                        [$($arg),*] if results.is_empty() => {
                            $(let $arg = $param::of($arg)?;)*
                            Some(call(parts, |store| typed.call(store, $($arg),*)))
                        }
                        _ => None,
                    }))
                }
                [one] => with_number!(one, R => {
                    let typed: TypedFunction<($($param),*), R> = function.typed(then.store()).ok()?;
                    Some(then.then(move |parts, args, results| match (args, results) {
                        ([$($arg),*], [result]) => {
                            $(let $arg = $param::of($arg)?;)*
                            let called = call(parts, |store| typed.call(store, $($arg),*));
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

/// Prepares a call where the signature is common: up to two numbers of any types or four of one, and at most one
/// number in return.
fn prepared<T: Then>(function: &Function, ty: &FuncType, then: T) -> Option<T::Done> {
    let results = ty.results();
    with_common_params!(ty.params(), nullary, unary, binary, ternary, quaternary, (function, results, then), _)
}

/// Prepares calls for a handle, where the signature is common.
pub(super) fn prepare(function: &Function, store: &Store, ty: &FuncType) -> Option<TypedCall> {
    prepared(function, ty, Keep(store))
}

/// Makes one call, where the signature is common.
///
/// # Errors
/// Those of [`WasmFunctionCaller::call`](crate::WasmFunctionCaller::call).
pub(super) fn call_once(
    function: &Function,
    ty: &FuncType,
    parts: CallParts<'_>,
    args: &[Value],
    results: &mut [Value],
) -> Option<Result<()>> {
    prepared(function, ty, Make(parts, args, results))?
}
