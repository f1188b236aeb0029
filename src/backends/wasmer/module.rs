//! Compiled modules.

use std::any::Any;
use std::sync::{Arc, OnceLock};

use wasmer::{Engine, Module};

use super::private_exports::PrivateExports;
use super::serialize;
use crate::error::Result;
use crate::module::info::ModuleInfo;
use crate::runtime::cached_code::SerializedCode;
use crate::runtime::owner::ModuleOwner;
use crate::runtime::sealed;
use crate::runtime::traits::WasmModule;

/// A module compiled by Wasmer.
#[derive(derive_more::Debug)]
#[debug("WasmerModule({:?})", self.info())]
pub struct WasmerModule {
    pub(super) compiled: Module,
    /// The engine for instances without memories and tables. Other instances need it with their own tunables.
    pub(super) engine: Engine,
    pub(super) private: PrivateExports,
    pub(super) owner: ModuleOwner,
    /// The size of the serialized code, once it is known.
    pub(super) serialized_bytes: OnceLock<u64>,
}

impl WasmModule for WasmerModule {
    fn info(&self) -> &Arc<ModuleInfo> {
        self.owner.info()
    }

    /// Returns the size of the serialized code: Wasmer has no other way to measure code.
    fn compiled_bytes(&self) -> Option<u64> {
        self.serialized_bytes.get().copied()
    }
}

impl sealed::Module for WasmerModule {
    fn serialize(&self) -> Result<SerializedCode> {
        let code = serialize::write(&self.compiled)?;
        self.serialized_bytes.get_or_init(|| code.len() as u64);
        Ok(SerializedCode { code, code_shift: 0 })
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
