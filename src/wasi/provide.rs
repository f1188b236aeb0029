//! Adds WASI to the imports of a module, for every engine.

use std::borrow::Cow;
use std::sync::{Arc, Mutex};

use super::state::WasiState;
use super::{preview1, random, wasix};
use crate::capabilities::Capabilities;
use crate::engine::kind::RuntimeKind;
use crate::error::Result;
use crate::limits::Limits;
use crate::module::info::ModuleInfo;
use crate::module::requirements;
use crate::runtime::host::{HostImports, HostItem};
use crate::runtime::preflight;
use crate::runtime::traits::{WasmInstance, WasmModule, WasmRuntime};

/// Adds the WASI functions that a module imports, with these capabilities, to the host's imports. Creates no WASI state if
/// the module imports none.
///
/// # Errors
/// [`ErrorKind::Grant`](crate::ErrorKind::Grant) if a capability cannot be granted on this engine.
pub(crate) fn provide<'h>(
    kind: RuntimeKind,
    info: &ModuleInfo,
    capabilities: &Capabilities,
    imports: &'h HostImports,
) -> Result<Cow<'h, HostImports>> {
    if cfg!(feature = "http") && requirements::imports_extism(info) {
        preflight::check_grants_with_network(capabilities)?;
    } else {
        preflight::check_grants(kind, capabilities)?;
    }
    if info.imports.is_empty() {
        return Ok(Cow::Borrowed(imports));
    }
    let missing = info.imports.iter().filter(|import| imports.get(&import.module, &import.name).is_none());
    if missing.clone().any(|import| requirements::is_wasix(&import.module, &import.name)) {
        random::check_system()?;
        return Ok(Cow::Owned(wasix::provide(missing, capabilities, imports.clone())));
    }
    let wasi: Vec<_> =
        missing.filter_map(|import| Some((import, preview1::find(&import.module, &import.name)?))).collect();
    if wasi.is_empty() {
        return Ok(Cow::Borrowed(imports));
    }
    let state = Arc::new(Mutex::new(WasiState::new(capabilities)?));
    let all = wasi.into_iter().fold(imports.clone(), |imports, (import, function)| {
        imports.with(&*import.module, &*import.name, HostItem::Func(function.host_function(&state)))
    });
    Ok(Cow::Owned(all))
}

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
