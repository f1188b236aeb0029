//! The twin of WASI where no engine is compiled in: there is no guest that could import it.

use std::borrow::Cow;

use crate::capabilities::Capabilities;
use crate::engine::kind::RuntimeKind;
use crate::error::Result;
use crate::module::info::ModuleInfo;
use crate::runtime::grants;
use crate::runtime::host::HostImports;

/// What the host offers, as it is.
pub(crate) fn provide<'h>(
    kind: RuntimeKind,
    _: &ModuleInfo,
    capabilities: &Capabilities,
    imports: &'h HostImports,
) -> Result<Cow<'h, HostImports>> {
    grants::check(kind, capabilities)?;
    Ok(Cow::Borrowed(imports))
}
