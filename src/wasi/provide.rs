//! Adds WASI to the imports of a module.

use std::borrow::Cow;
use std::sync::{Arc, Mutex};

use super::state::WasiState;
use super::{preview1, wasix};
use crate::capabilities::Capabilities;
use crate::engine::kind::RuntimeKind;
use crate::error::Result;
use crate::module::info::ModuleInfo;
use crate::runtime::host::{HostImports, HostItem};
use crate::runtime::preflight;

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
    preflight::check_grants(kind, capabilities)?;
    if info.imports.is_empty() {
        return Ok(Cow::Borrowed(imports));
    }
    if wasix::is_imported(info, imports) {
        return Ok(wasix::provide(info, capabilities, imports));
    }
    let missing = info.imports.iter().filter(|import| imports.get(&import.module, &import.name).is_none());
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
