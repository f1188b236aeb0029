//! Typed host functions for common signatures. The engine can unwind from a typed host function to the guest, which it cannot
//! for a dynamic one, so errors have a backtrace. Calls are also faster.

use wasmer::{Function, FunctionEnv, FunctionEnvMut, RuntimeError, Store};

use super::typed::Native;
use crate::value::number::{Number as _, with_common_params, with_number};
use crate::value::types::{FuncType, ValType, Value};

/// The body of a host function.
pub(super) trait HostCall: Clone + Send + Sync + 'static {
    /// The data of the host functions of one guest.
    type Env: Send + 'static;

    /// Makes one call. The results must have the types of the signature.
    fn call(&self, env: FunctionEnvMut<'_, Self::Env>, args: &[Value]) -> Result<Vec<Value>, RuntimeError>;
}

/// Defines a generic function that creates host functions for one parameter count.
macro_rules! arity {
    ($name:ident $(, $param:ident $arg:ident)*) => {
        fn $name<H: HostCall $(, $param: Native)*>(
            store: &mut Store,
            env: &FunctionEnv<H::Env>,
            results: &[ValType],
            host: &H,
        ) -> Option<Function> {
            let host = host.clone();
            match results {
                [] => Some(Function::new_typed_with_env(
                    store,
                    env,
                    move |env: FunctionEnvMut<'_, H::Env> $(, $arg: $param)*| -> Result<(), RuntimeError> {
                        host.call(env, &[$($arg.value()),*]).map(drop)
                    },
                )),
                [one] => with_number!(one, R => Some(Function::new_typed_with_env(
                    store,
                    env,
                    move |env: FunctionEnvMut<'_, H::Env> $(, $arg: $param)*| -> Result<R, RuntimeError> {
                        let result = host.call(env, &[$($arg.value()),*])?.first().and_then(R::of);
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

/// Creates a host function of type `ty`, if its signature is common: up to two numeric parameters of any types or four of one
/// type, and at most one numeric result.
pub(super) fn create<H: HostCall>(
    store: &mut Store,
    env: &FunctionEnv<H::Env>,
    ty: &FuncType,
    host: &H,
) -> Option<Function> {
    let results = ty.results();
    with_common_params!(ty.params(), nullary, unary, binary, ternary, quaternary, (store, env, results, host), H)
}
