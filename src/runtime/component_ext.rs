//! Calls of components by name, with typed values, JSON and MessagePack.

use crate::component::encode::TypedResult;
use crate::component::types::WitFunction;
use crate::component::value::WitValue;
use crate::component::{check, json, msgpack};
use crate::error::Result;
use crate::runtime::component::WasmComponentInstance;

/// Calls that resolve the function first. [`WasmComponentInstance::function`] resolves it once for many calls.
pub trait WasmComponentInstanceExt {
    /// Calls with typed values, and returns the result, if the function has one.
    ///
    /// # Errors
    /// Those of [`WasmComponentInstance::function`] and [`WasmComponentFunction::call`](crate::WasmComponentFunction::call).
    fn call(&mut self, name: &str, args: &[WitValue]) -> Result<Option<WitValue>>;

    /// Calls with a JSON array of arguments, or a bare value for one parameter. Returns `null` or a value.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if `args` does not fit the signature;
    /// [`ErrorKind::UnsupportedFeature`](crate::ErrorKind::UnsupportedFeature) if a type has no values in JSON, such as a
    /// resource; those of [`WasmComponentInstanceExt::call`].
    fn call_json(&mut self, name: &str, args: &str) -> Result<String>;

    /// Calls with MessagePack of the same shape as [`WasmComponentInstanceExt::call_json`].
    ///
    /// # Errors
    /// As [`WasmComponentInstanceExt::call_json`].
    fn call_msgpack(&mut self, name: &str, args: &[u8]) -> Result<Vec<u8>>;
}

impl WasmComponentInstanceExt for dyn WasmComponentInstance + '_ {
    fn call(&mut self, name: &str, args: &[WitValue]) -> Result<Option<WitValue>> {
        self.function(name)?.call(self, args)
    }

    fn call_json(&mut self, name: &str, args: &str) -> Result<String> {
        let (result, ty) = call_decoded(self, name, |ty| json::decode_args(args.as_bytes(), ty))?;
        json::encode_result(TypedResult::new(result.as_ref(), ty.result()))
    }

    fn call_msgpack(&mut self, name: &str, args: &[u8]) -> Result<Vec<u8>> {
        let (result, ty) = call_decoded(self, name, |ty| msgpack::decode_args(args, ty))?;
        msgpack::encode_result(TypedResult::new(result.as_ref(), ty.result()))
    }
}

/// Calls with arguments that `decode` reads, and returns the result and the type of the function.
fn call_decoded(
    instance: &mut (dyn WasmComponentInstance + '_),
    name: &str,
    decode: impl FnOnce(&WitFunction) -> Result<Vec<WitValue>>,
) -> Result<(Option<WitValue>, WitFunction)> {
    let mut function = instance.function(name)?;
    let ty = function.ty().clone();
    check::check_passable(&ty)?;
    let result = function.call(instance, &decode(&ty)?)?;
    Ok((result, ty))
}
