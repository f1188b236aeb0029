//! Creates instances with WASI, for every engine.

use super::provide;
use crate::capabilities::Capabilities;
use crate::error::Result;
use crate::limits::Limits;
use crate::runtime::host::HostImports;
use crate::runtime::preflight;
use crate::runtime::traits::{WasmInstance, WasmModule, WasmRuntime};

/// Implements [`WasmRuntime::create_instance_with`] for a backend: resolves the imports from WASI, then instantiates.
///
/// # Errors
/// Those of [`WasmRuntime::create_instance_with`].
pub(crate) fn create_instance(
    runtime: &dyn WasmRuntime,
    module: &dyn WasmModule,
    limits: Limits,
    capabilities: &Capabilities,
    imports: &HostImports,
) -> Result<Box<dyn WasmInstance>> {
    let imports = provide(runtime.kind(), module.info(), capabilities, imports)?;
    preflight::check_stoppable(module.info(), &imports, limits)?;
    runtime.instantiate(module, limits, &imports)
}
