//! Calls in JSON, MessagePack and Rust types, for every engine.

use crate::error::{Error, ErrorKind, Result};
use crate::runtime::signature;
use crate::runtime::traits::WasmInstance;
use crate::value::typed::WasmTuple;
use crate::value::types::FuncType;
use crate::value::{json, msgpack};

/// Calls whose arguments and results are not [`Value`](crate::Value)s.
pub trait WasmInstanceExt: WasmInstance {
    /// Calls with a JSON array of arguments (or a bare value for one parameter); returns `null`, a value or an array.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] where `args` does not fit, and those of [`WasmInstance::call`].
    fn call_json(&mut self, name: &str, args: &str) -> Result<String> {
        let args = json::decode_args(args.as_bytes(), signature::find_function(self.info(), name)?)?;
        Ok(json::encode_results(&self.call(name, &args)?))
    }

    /// Calls with MessagePack of the same shape as [`WasmInstanceExt::call_json`].
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] where `args` does not fit, and those of [`WasmInstance::call`].
    fn call_msgpack(&mut self, name: &str, args: &[u8]) -> Result<Vec<u8>> {
        let args = msgpack::decode_args(args, signature::find_function(self.info(), name)?)?;
        Ok(msgpack::encode_results(&self.call(name, &args)?))
    }

    /// Calls with a tuple of Rust values: `call_typed::<(i32, i32), i32>("add", (5, 3))`.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] where the signature is another, and those of [`WasmInstance::call`].
    fn call_typed<P: WasmTuple, R: WasmTuple>(&mut self, name: &str, params: P) -> Result<R> {
        let wanted = FuncType::new(P::types(), R::types());
        let ty = signature::find_function(self.info(), name)?;
        if *ty != wanted {
            let message = format!("`{name}` has type {ty}, not {wanted}");
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        let results = self.call(name, &params.into_values())?;
        R::from_values(&results).ok_or_else(|| {
            Error::new(ErrorKind::Internal, format!("`{name}` returned values of other types than {wanted}"))
        })
    }
}

impl<I: WasmInstance + ?Sized> WasmInstanceExt for I {}
