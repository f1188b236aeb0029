//! Resolved functions.

use wasmtime::component::Func;

use crate::component::types::WitFunction;

/// A resolved function of a [`WasmtimeComponentInstance`](super::WasmtimeComponentInstance).
#[derive(derive_more::Debug)]
#[debug("WasmtimeComponentFunction({ty})")]
pub struct WasmtimeComponentFunction {
    /// The number of the function's instance.
    pub(super) owner: u64,
    pub(super) func: Func,
    pub(super) ty: WitFunction,
}
