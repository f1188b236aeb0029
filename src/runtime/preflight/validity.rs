//! Validates a binary with the features of one engine and compiler.

use wasmparser::Parser;
use wasmparser::types::Types;

use crate::config::RuntimeConfig;
use crate::engine::features::{self, Feature};
use crate::engine::kind::RuntimeKind;
use crate::error::{Error, ErrorKind, Result};
use crate::module::{requirements, validation};

/// Returns whether guests may use a feature. The result of Wasmer's relaxed SIMD depends on the machine, so it is disabled
/// if computations must be deterministic.
pub(crate) fn is_feature_enabled(config: &RuntimeConfig, feature: Feature) -> bool {
    let is_nondeterministic = config.kind == RuntimeKind::Wasmer && feature == Feature::RelaxedSimd;
    feature.is_supported(config.kind, config.effective_compiler())
        && feature.is_available()
        && !(config.canonical_nans && is_nondeterministic)
}

/// Validates a binary module or component for the configured engine and compiler, and returns its types.
///
/// # Errors
/// [`ErrorKind::InvalidModule`] if it is not valid; [`ErrorKind::UnsupportedFeature`] if it needs a feature that the engine
/// or the compiler lacks.
pub(super) fn validate(config: &RuntimeConfig, binary: &[u8]) -> Result<Types> {
    let enabled = Feature::ALL.iter().copied().filter(|feature| is_feature_enabled(config, *feature));
    validation::validate(binary, features::flags(enabled)).map_err(|error| explain_invalid(error, binary, config))
}

/// Explains why a binary is not valid for this engine. If it is valid with more features, the error names those and the
/// engines that have them.
fn explain_invalid(error: Error, binary: &[u8], config: &RuntimeConfig) -> Error {
    let (kind, compiler) = (config.kind, config.effective_compiler());
    let Ok(needed) = requirements::features(binary) else { return error };
    let missing: Vec<Feature> = needed.into_iter().filter(|feature| !is_feature_enabled(config, *feature)).collect();
    let enabled = Feature::ALL.iter().copied().filter(|feature| is_feature_enabled(config, *feature));
    let sufficient = features::flags(enabled.chain(missing.iter().copied()));
    if missing.is_empty() || validation::validate(binary, sufficient).is_err() {
        return error;
    }
    let names: Vec<_> = missing.iter().map(|feature| feature.as_str()).collect();
    // The one feature that an engine supports, but not deterministically.
    let form = if missing.contains(&Feature::RelaxedSimd) && config.canonical_nans { " deterministically" } else { "" };
    let what = if Parser::is_component(binary) { "component" } else { "module" };
    let message = format!("the {what} needs {}, which {kind} with {compiler} does not support{form}", names.join(", "));
    let mut error = Error::new(ErrorKind::UnsupportedFeature, message).with_source(error);
    let left_out = missing.iter().find(|feature| feature.is_supported(kind, compiler) && !feature.is_available());
    if let Some(cargo_feature) = left_out.and_then(|feature| feature.cargo_feature()) {
        return error.with_hint(format!("build with `--features {cargo_feature}`"));
    }
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
