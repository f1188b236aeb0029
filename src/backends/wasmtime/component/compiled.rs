//! Compiled components.

use std::any::Any;
use std::sync::{Arc, OnceLock};

use wasmtime::component::Component;

use super::super::parts::RuntimeParts;
use super::super::{errors, serialize};
use super::link::LinkedComponent;
use crate::component::info::ComponentInfo;
use crate::error::Result;
use crate::runtime::cached_code::{CachedCode, CodeParts, SerializedCode};
use crate::runtime::component::WasmComponent;
use crate::runtime::owner::CodeOwner;
use crate::runtime::preflight::{self, AdmittedComponent};
use crate::runtime::sealed;

/// A component compiled by Wasmtime.
#[derive(derive_more::Debug)]
#[debug("WasmtimeComponent({:?})", self.info())]
pub struct WasmtimeComponent {
    pub(super) compiled: Component,
    pub(super) owner: CodeOwner<ComponentInfo>,
    /// The component with its imports, if the embedder provides none of them.
    pub(super) linked: OnceLock<LinkedComponent>,
    compiled_bytes: u64,
}

/// Compiles an admitted component.
pub(in super::super) fn compile(
    runtime: RuntimeParts<'_>,
    component: &AdmittedComponent<'_>,
) -> Result<Box<dyn WasmComponent>> {
    runtime.registry.admit_work()?;
    let binary = component.binary_for(runtime.config)?;
    let compile =
        || Component::from_binary(runtime.engine, binary).map_err(|error| errors::compile("component", &error));
    let compiled = preflight::guard_compiler(runtime.config, compile)?;
    runtime.registry.count_compiled();
    let image = compiled.image_range();
    let compiled_bytes = image.end as u64 - image.start as u64;
    Ok(create(runtime, compiled, component.info(), compiled_bytes))
}

/// Loads the code of a component from the cache.
pub(in super::super) fn restore(runtime: RuntimeParts<'_>, code: CachedCode) -> Result<Box<dyn WasmComponent>> {
    runtime.registry.admit_work()?;
    let CodeParts { info, code, .. } = code.parts_for(runtime.config)?;
    let info = info.component()?;
    let compiled_bytes = code.len();
    let compiled = serialize::read_component(runtime.engine, code)?;
    runtime.registry.count_cache_hit();
    Ok(create(runtime, compiled, info, compiled_bytes))
}

fn create(
    runtime: RuntimeParts<'_>,
    compiled: Component,
    info: &Arc<ComponentInfo>,
    compiled_bytes: u64,
) -> Box<dyn WasmComponent> {
    let owner = CodeOwner::new(Arc::clone(info), runtime.registry);
    Box::new(WasmtimeComponent { compiled, owner, linked: OnceLock::new(), compiled_bytes })
}

impl WasmComponent for WasmtimeComponent {
    fn info(&self) -> &Arc<ComponentInfo> {
        self.owner.info()
    }

    fn compiled_bytes(&self) -> Option<u64> {
        Some(self.compiled_bytes)
    }
}

impl sealed::Component for WasmtimeComponent {
    fn serialize(&self) -> Result<SerializedCode> {
        Ok(SerializedCode { code: serialize::write(self.compiled.serialize())?, code_shift: 0 })
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
