//! Validates a module for one engine and compiler.

use std::borrow::Cow;
use std::sync::Arc;

use crate::config::RuntimeConfig;
use crate::engine::kind::{Compiler, RuntimeKind};
use crate::error::{Error, ErrorKind, Result};
use crate::escape::Escaped;
use crate::module::info::{ExternType, Import, ModuleInfo};
use crate::module::source;
use crate::runtime::preflight::validity::validate;

/// A valid module that one engine and compiler supports, before it is compiled.
#[derive(Clone, Debug)]
pub struct AdmittedModule<'a> {
    config: RuntimeConfig,
    binary: Cow<'a, [u8]>,
    info: Arc<ModuleInfo>,
}

impl AdmittedModule<'_> {
    /// Returns the binary module, for a runtime with the same configuration.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] if the configuration differs.
    pub(crate) fn binary_for(&self, config: &RuntimeConfig) -> Result<&[u8]> {
        if self.config == *config {
            return Ok(&self.binary);
        }
        let message = "the module was validated for a runtime with another configuration";
        Err(Error::new(ErrorKind::InvalidArgument, message))
    }

    /// Returns the binary module.
    #[must_use]
    pub fn binary(&self) -> &[u8] {
        &self.binary
    }

    /// Returns the imports, exports and other facts of the module.
    #[must_use]
    pub fn info(&self) -> &Arc<ModuleInfo> {
        &self.info
    }
}

/// Validates a module in binary or text format for the configured engine and compiler.
///
/// # Errors
/// [`ErrorKind::InvalidModule`] if it is not a valid module; [`ErrorKind::UnsupportedFeature`] if it needs a feature that
/// the engine or the compiler lacks, or is a component.
pub fn admit_module<'a>(config: &RuntimeConfig, bytes: &'a [u8]) -> Result<AdmittedModule<'a>> {
    admit_binary(config, source::to_binary(bytes)?)
}

/// Validates a binary module.
pub(super) fn admit_binary<'a>(config: &RuntimeConfig, binary: Cow<'a, [u8]>) -> Result<AdmittedModule<'a>> {
    let types = validate(config, &binary)?;
    let info = ModuleInfo::read_valid(&binary, &types)
        .map_err(|error| Error::new(ErrorKind::Internal, "a valid module could not be read").with_source(error))?;
    check_host_results(config, &info)?;
    Ok(AdmittedModule { config: config.clone(), binary, info: Arc::new(info) })
}

/// Refuses imported functions with several results, on which Singlepass panics.
fn check_host_results(config: &RuntimeConfig, info: &ModuleInfo) -> Result<()> {
    let has_several = |import: &&Import| matches!(&import.ty, ExternType::Func(ty) if ty.results().len() > 1);
    match info.imports.iter().find(has_several) {
        Some(Import { module, name, ty }) if config.effective_compiler() == Compiler::Singlepass => {
            let message = format!(
                "the module imports `{}` `{}`: {ty}, but with singlepass a host function can return only one result",
                Escaped(module),
                Escaped(name)
            );
            Err(RuntimeKind::ALL.iter().fold(Error::new(ErrorKind::UnsupportedFeature, message), |error, kind| {
                error.with_hint(format!("use `--runtime {kind} --compiler cranelift`"))
            }))
        }
        _ => Ok(()),
    }
}
