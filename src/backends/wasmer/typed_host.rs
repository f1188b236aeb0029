//! Typed host functions for the common signatures. Unlike a dynamic host function, the engine can unwind from one to the guest
//! that calls it, so its errors have a backtrace. A call also takes less time.

use wasmer::{Function, FunctionEnv, FunctionEnvMut, RuntimeError, Store};

use super::host::{self, HostEnv};
use super::typed::Native;
use crate::runtime::host::HostFunction;
use crate::value::number::{Number as _, with_common_params, with_number};

/// Defines a generic function that lowers host functions with one number of parameters.
macro_rules! arity {
    ($name:ident $(, $param:ident $arg:ident)*) => {
        fn $name<$($param: Native),*>(
            store: &mut Store,
            env: &FunctionEnv<HostEnv>,
            function: &HostFunction,
        ) -> Option<Function> {
            let results = function.ty().results();
            let function = function.clone();
            match results {
                [] => Some(Function::new_typed_with_env(
                    store,
                    env,
                    move |env: FunctionEnvMut<'_, HostEnv> $(, $arg: $param)*| -> Result<(), RuntimeError> {
                        host::call(&function, env, &[$($arg.value()),*]).map(drop)
                    },
                )),
                [one] => with_number!(one, R => Some(Function::new_typed_with_env(
                    store,
                    env,
                    move |env: FunctionEnvMut<'_, HostEnv> $(, $arg: $param)*| -> Result<R, RuntimeError> {
                        let results = host::call(&function, env, &[$($arg.value()),*])?;
                        let result = results.first().and_then(R::of);
                        result.ok_or_else(|| RuntimeError::new("the host function returned a value of another type"))
                    },
                ))),
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

/// Lowers a host function, if its signature is common: up to two numeric parameters of any types or four of one type, and at
/// most one numeric result.
pub(super) fn lower(store: &mut Store, env: &FunctionEnv<HostEnv>, function: &HostFunction) -> Option<Function> {
    with_common_params!(function.ty().params(), nullary, unary, binary, ternary, quaternary, (store, env, function))
}
