//! Replaces WASI in a build without engines, which runs no guests.

use std::borrow::Cow;

use crate::capabilities::Capabilities;
use crate::engine::kind::RuntimeKind;
use crate::error::Result;
use crate::module::info::ModuleInfo;
use crate::runtime::host::HostImports;
use crate::runtime::preflight;

/// Returns the host's imports unchanged.
pub(crate) fn provide<'h>(
    kind: RuntimeKind,
    _: &ModuleInfo,
    capabilities: &Capabilities,
    imports: &'h HostImports,
) -> Result<Cow<'h, HostImports>> {
    preflight::check_grants(kind, capabilities)?;
    Ok(Cow::Borrowed(imports))
}
