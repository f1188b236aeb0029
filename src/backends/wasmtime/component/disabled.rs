//! The stand-in for components in a build without them.

use wasmtime::{Config, Engine};

use super::parts::RuntimeParts;
use crate::capabilities::Capabilities;
use crate::component::info::ComponentInfo;
use crate::error::Result;
use crate::limits::Limits;
use crate::runtime::cached_code::CachedCode;
use crate::runtime::component::{WasmComponent, WasmComponentInstance};
use crate::runtime::component_host::ComponentImports;
use crate::runtime::preflight::{self, AdmittedComponent};

pub(super) fn compile(_: RuntimeParts<'_>, _: &AdmittedComponent<'_>) -> Result<Box<dyn WasmComponent>> {
    Err(preflight::no_components())
}

pub(super) fn restore(_: RuntimeParts<'_>, _: CachedCode) -> Result<Box<dyn WasmComponent>> {
    Err(preflight::no_components())
}

pub(super) fn check_imports(_: &Engine, _: &ComponentInfo, _: &ComponentImports) -> Result<()> {
    Err(preflight::no_components())
}

pub(super) fn configure(_: &mut Config) {}

pub(super) fn instantiate(
    _: RuntimeParts<'_>,
    _: &dyn WasmComponent,
    _: Limits,
    _: &Capabilities,
    _: &ComponentImports,
) -> Result<Box<dyn WasmComponentInstance>> {
    Err(preflight::no_components())
}
