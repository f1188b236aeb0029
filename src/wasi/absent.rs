//! The twin of WASI where no engine is compiled in: there is no guest that could import it.

use std::borrow::Cow;

use crate::capabilities::Capabilities;
use crate::error::Result;
use crate::module::info::ModuleInfo;
use crate::runtime::host::HostImports;

/// What the host offers, as it is.
pub(crate) fn provide<'h>(
    _: &ModuleInfo,
    capabilities: &Capabilities,
    imports: &'h HostImports,
) -> Result<Cow<'h, HostImports>> {
    capabilities.check()?;
    Ok(Cow::Borrowed(imports))
}
