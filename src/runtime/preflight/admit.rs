//! Validates a module for one engine and compiler, and catches panics of the compiler.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::config::RuntimeConfig;
use crate::engine::features::{self, Feature};
use crate::engine::kind::{Compiler, RuntimeKind};
use crate::error::{Error, ErrorKind, Result};
use crate::escape::Escaped;
use crate::module::info::{ExternType, Import, ModuleInfo};
use crate::module::{requirements, source, validation};

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
/// the engine or the compiler lacks.
pub fn admit<'a>(config: &RuntimeConfig, bytes: &'a [u8]) -> Result<AdmittedModule<'a>> {
    let binary = source::to_binary(bytes)?;
    let enabled = Feature::ALL.iter().copied().filter(|feature| is_feature_enabled(config, *feature));
    let types = validation::validate(&binary, features::flags(enabled))
        .map_err(|error| explain_invalid(error, &binary, config))?;
    let info = ModuleInfo::read_valid(&binary, &types)
        .map_err(|error| Error::new(ErrorKind::Internal, "a valid module could not be read").with_source(error))?;
    check_host_results(config, &info)?;
    Ok(AdmittedModule { config: config.clone(), binary, info: Arc::new(info) })
}

/// Returns whether modules may use a feature. The result of Wasmer's relaxed SIMD depends on the machine, so it is disabled
/// if computations must be deterministic.
pub(crate) fn is_feature_enabled(config: &RuntimeConfig, feature: Feature) -> bool {
    let is_nondeterministic = config.kind == RuntimeKind::Wasmer && feature == Feature::RelaxedSimd;
    feature.is_supported(config.kind, config.effective_compiler()) && !(config.canonical_nans && is_nondeterministic)
}

/// Explains why a module is not valid for this engine. If it is valid with more features, the error names those and the
/// engines that have them.
fn explain_invalid(error: Error, binary: &[u8], config: &RuntimeConfig) -> Error {
    let (kind, compiler) = (config.kind, config.effective_compiler());
    let Ok(needed) = requirements::features(binary) else { return error };
    let missing: Vec<Feature> = needed.into_iter().filter(|feature| !is_feature_enabled(config, *feature)).collect();
    let sufficient = features::flags(Feature::supported(kind, compiler).chain(missing.iter().copied()));
    if missing.is_empty() || validation::validate(binary, sufficient).is_err() {
        return error;
    }
    let names: Vec<_> = missing.iter().map(|feature| feature.as_str()).collect();
    // The one feature that an engine supports, but not deterministically.
    let form = if missing.contains(&Feature::RelaxedSimd) && config.canonical_nans { " deterministically" } else { "" };
    let message = format!("the module needs {}, which {kind} with {compiler} does not support{form}", names.join(", "));
    let mut error = Error::new(ErrorKind::UnsupportedFeature, message).with_source(error);
    let mut is_supported = false;
    for (kind, compiler) in features::combinations() {
        let other = RuntimeConfig { kind, compiler: Some(compiler), ..config.clone() };
        if missing.iter().all(|feature| is_feature_enabled(&other, *feature)) {
            error = error.with_hint(format!("use `--runtime {kind} --compiler {compiler}`"));
            is_supported = true;
        }
    }
    if is_supported { error } else { error.with_hint("no engine of this wrun supports all of these features") }
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

/// Runs a compiler and turns a panic into an error.
///
/// # Errors
/// Those of `compile`. If it panics, [`ErrorKind::Io`] if the system refused a resource, else [`ErrorKind::Internal`].
pub(crate) fn guard_compiler<T>(config: &RuntimeConfig, compile: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(compile)).unwrap_or_else(|panic| {
        let (kind, compiler) = (config.kind, config.effective_compiler());
        let error =
            Error::of_panic(&format!("the compiler {compiler} of {kind} panicked on this module"), panic.as_ref());
        Err(match error.kind() {
            ErrorKind::Internal => error.with_hint("try another engine or compiler, and report the module"),
            _ => error,
        })
    })
}
