//! Resolved functions.

use wasmtime::component::Func;

use super::instance::WasmtimeComponentInstance;
use crate::component::types::WitFunction;
use crate::component::value::WitValue;
use crate::error::Result;
use crate::runtime::component::{WasmComponentFunction, WasmComponentInstance};
use crate::runtime::signature;

/// A resolved function of a [`WasmtimeComponentInstance`].
#[derive(derive_more::Debug)]
#[debug("WasmtimeComponentFunction({ty})")]
pub struct WasmtimeComponentFunction {
    /// The number of the function's instance.
    pub(super) owner: u64,
    pub(super) func: Func,
    pub(super) ty: WitFunction,
}

impl WasmComponentFunction for WasmtimeComponentFunction {
    fn ty(&self) -> &WitFunction {
        &self.ty
    }

    fn call(&mut self, instance: &mut dyn WasmComponentInstance, args: &[WitValue]) -> Result<Option<WitValue>> {
        match instance.as_any_mut().downcast_mut::<WasmtimeComponentInstance>() {
            Some(instance) if instance.parts.core.id() == self.owner => instance.parts.call(self.func, &self.ty, args),
            _ => Err(signature::other_instance()),
        }
    }
}
