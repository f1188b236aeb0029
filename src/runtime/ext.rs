//! Calls with JSON, MessagePack and Rust types, for every engine.

use crate::error::{Error, ErrorKind, Result};
use crate::escape::Escaped;
use crate::runtime::lookup;
use crate::runtime::traits::WasmInstance;
use crate::value::typed::WasmTuple;
use crate::value::types::FuncType;
use crate::value::{json, msgpack};

/// Calls with other representations of arguments and results than [`Value`](crate::Value).
pub trait WasmInstanceExt: WasmInstance {
    /// Calls with a JSON array of arguments, or a bare value for one parameter. Returns `null`, a value or an array.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] if `args` does not fit the signature, and those of [`WasmInstance::call`].
    fn call_json(&mut self, name: &str, args: &str) -> Result<String> {
        let args = json::decode_args(args.as_bytes(), lookup::find_function(self.info(), name)?)?;
        Ok(json::encode_results(&self.call(name, &args)?))
    }

    /// Calls with MessagePack of the same shape as [`WasmInstanceExt::call_json`].
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] if `args` does not fit the signature, and those of [`WasmInstance::call`].
    fn call_msgpack(&mut self, name: &str, args: &[u8]) -> Result<Vec<u8>> {
        let args = msgpack::decode_args(args, lookup::find_function(self.info(), name)?)?;
        Ok(msgpack::encode_results(&self.call(name, &args)?))
    }

    /// Calls with Rust values: `call_typed::<(i32, i32), i32>("add", (5, 3))`.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] if the function has another signature, and those of [`WasmInstance::call`].
    fn call_typed<P: WasmTuple, R: WasmTuple>(&mut self, name: &str, params: P) -> Result<R> {
        let wanted = FuncType::new(P::types(), R::types());
        let ty = lookup::find_function(self.info(), name)?;
        if *ty != wanted {
            let message = format!("`{}` has type {ty}, not {wanted}", Escaped(name));
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        let results = self.call(name, &params.into_values())?;
        R::from_values(&results).ok_or_else(|| {
            Error::new(ErrorKind::Internal, format!("`{}` returned values that do not fit {wanted}", Escaped(name)))
        })
    }
}

impl<I: WasmInstance + ?Sized> WasmInstanceExt for I {}
