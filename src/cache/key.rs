//! The key of an entry: a hash of everything that its compiled code depends on.

use blake3::{Hash, Hasher};

use crate::config::RuntimeConfig;
use crate::engine::features::Feature;
use crate::engine::kind::{Compiler, Optimization};
use crate::runtime::preflight;
use crate::runtime::traits::WasmRuntime;

/// The version of the file format. Increase it with every change.
pub(super) const FORMAT: u64 = 2;

/// Returns the key of a module, binary or text, with this hash of its `contents`, compiled by `runtime`.
pub(super) fn of(runtime: &dyn WasmRuntime, contents: Hash) -> Hash {
    let config = runtime.config();
    let mut hasher = Hasher::new();
    // Each part is preceded by its length, so that different parts never add up to the same bytes.
    let mut add = |part: &[u8]| {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    };
    add(b"wrun compiled code");
    add(env!("CARGO_PKG_VERSION").as_bytes());
    // The versions of all crates that this program was built with, and this crate's sources: a hit skips compiling, and also checks
    // of the module.
    add(env!("WRUN_SOURCES").as_bytes());
    add(&FORMAT.to_le_bytes());
    add(config.kind.as_str().as_bytes());
    add(config.kind.version().as_bytes());
    add(&runtime.code_compatibility().to_le_bytes());
    add(config.effective_compiler().as_str().as_bytes());
    add(options(config).join(" ").as_bytes());
    let features = Feature::ALL.iter().filter(|feature| preflight::is_feature_enabled(config, **feature));
    add(features.map(|feature| feature.as_str()).collect::<Vec<_>>().join(" ").as_bytes());
    add(contents.as_bytes());
    hasher.finalize()
}

/// Returns the names of the configuration options that change the code, besides engine and compiler. Takes the configuration
/// apart field by field, so that a new field does not compile until it is considered here.
pub(super) fn options(config: &RuntimeConfig) -> Vec<&'static str> {
    // Both engines check the stack limit when the code runs, so it is not part of the code.
    let RuntimeConfig {
        kind: _,
        compiler: _,
        optimization: _,
        max_stack: _,
        parallel_compilation: _,
        pooled_instances: _,
        metering,
        interruption,
        canonical_nans,
    } = config;
    let optimization = (config.effective_compiler() == Compiler::Cranelift).then(|| config.effective_optimization());
    let options = [
        (*metering, "fuel"),
        (*interruption, "timeout"),
        (*canonical_nans, "deterministic"),
        (optimization == Some(Optimization::None), "opt-none"),
        (optimization == Some(Optimization::Size), "opt-size"),
    ];
    options.into_iter().filter_map(|(on, name)| on.then_some(name)).collect()
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;
    use crate::backends::create_runtime;
    use crate::engine::features;

    fn key(config: &RuntimeConfig, module: &[u8]) -> Hash {
        of(create_runtime(config).unwrap().as_ref(), blake3::hash(module))
    }

    #[test]
    fn the_key_changes_with_everything_that_changes_the_code() {
        let mut keys = Vec::new();
        for (kind, compiler) in features::combinations().filter(|(kind, _)| kind.is_available()) {
            let config = RuntimeConfig::new(kind).with_compiler(compiler);
            keys.extend([key(&config, b"module"), key(&config, b"modulf"), key(&config, b"")]);
            let (metered, interruptible) = (config.clone().with_metering(), config.clone().with_interruption());
            let mut variants = vec![metered.clone(), interruptible, metered.with_interruption()];
            if config.effective_compiler() == Compiler::Cranelift {
                variants.push(config.clone().with_canonical_nans());
                variants.push(config.clone().with_optimization(Optimization::None));
                variants.push(config.with_optimization(Optimization::Size));
            }
            keys.extend(variants.iter().map(|config| key(config, b"module")));
        }
        let number = keys.len();
        keys.sort_by_key(|key| *key.as_bytes());
        keys.dedup();
        assert_eq!(keys.len(), number);
    }

    #[test]
    fn the_key_does_not_change_with_explicit_defaults_and_the_stack_limit() {
        for kind in crate::RuntimeKind::available() {
            let config = RuntimeConfig::new(kind);
            let explicit = config.clone().with_compiler(Compiler::Cranelift).with_optimization(Optimization::Speed);
            assert_eq!(key(&explicit, b"module"), key(&config, b"module"));
            // Wasmer takes one stack limit in a process.
            if kind == crate::RuntimeKind::Wasmtime {
                assert_eq!(key(&config.clone().with_max_stack(1 << 21), b"module"), key(&config, b"module"));
                let pooled = config.clone().with_pooled_instances(NonZeroU32::MIN);
                assert_eq!(key(&pooled, b"module"), key(&config, b"module"));
            }
        }
    }
}
