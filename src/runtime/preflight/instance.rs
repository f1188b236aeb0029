//! Checks an instance before an engine creates it.

use super::{check_amounts, check_imports, limits, wasix};
use crate::config::RuntimeConfig;
use crate::error::{Error, ErrorKind, Result};
use crate::limits::Limits;
use crate::module::info::ModuleInfo;
use crate::runtime::host::HostImports;

/// Checks the imports and the limits of an instance.
///
/// # Errors
/// Those of [`check_amounts`] and [`check_imports`]; [`ErrorKind::Limit`] if the initial memories or tables exceed
/// `limits`; [`ErrorKind::UnsupportedFeature`] if WASIX is unavailable in this configuration, or the engine cannot enforce
/// a limit for this module.
pub(crate) fn check_instance(
    config: &RuntimeConfig,
    info: &ModuleInfo,
    imports: &HostImports,
    limits: Limits,
) -> Result<()> {
    check_amounts(config, limits)?;
    wasix::check_wasix(config.kind, info, imports, limits)?;
    check_imports(info, imports)?;
    limits::check_limits(config.kind, info, imports, limits)
}

/// Refuses a time limit if the guest waits on shared memory. Only the threads of a WASIX program can be stopped while they
/// wait.
///
/// # Errors
/// [`ErrorKind::UnsupportedFeature`].
pub(crate) fn check_stoppable(info: &ModuleInfo, imports: &HostImports, limits: Limits) -> Result<()> {
    if info.waits && imports.wasix().is_none() && limits.time.is_some() {
        return Err(unstoppable());
    }
    Ok(())
}

/// The error for a time limit on a guest that waits on shared memory.
pub(crate) fn unstoppable() -> Error {
    let message = "the module waits on shared memory, which no engine can interrupt, so it cannot have a time limit";
    Error::new(ErrorKind::UnsupportedFeature, message)
}
