//! What an entry is found by: a hash of everything that compiled code follows from.

use blake3::{Hash, Hasher};

use super::cpu;
use crate::backends;
use crate::config::RuntimeConfig;
use crate::engine::features::Feature;
use crate::engine::kind::{Compiler, Optimization};
use crate::runtime::compiled_code::fingerprint;
use crate::runtime::preflight;

/// How entries are laid out; a new number for each change.
pub(super) const FORMAT: u64 = 1;

/// What decides which modules are admitted, and what is known of one: a hit implies both.
const ADMISSION: u64 = fingerprint(&[
    include_bytes!("../module/info.rs"),
    include_bytes!("../module/requirements.rs"),
    include_bytes!("../module/source.rs"),
    include_bytes!("../module/validation.rs"),
    include_bytes!("../engine/features.rs"),
    include_bytes!("../runtime/preflight.rs"),
    include_bytes!("../value/types.rs"),
]);

/// The key of a module, binary or text, of these contents, for runtimes of one configuration.
pub(super) fn of(config: &RuntimeConfig, contents: Hash) -> Hash {
    let mut hasher = Hasher::new();
    // Each part with its length, so that no two lists of parts are the same bytes.
    let mut say = |part: &[u8]| {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    };
    say(b"wrun compiled code");
    say(env!("CARGO_PKG_VERSION").as_bytes());
    // The crates that this was built with, as far as its own lock file says.
    say(env!("WRUN_LOCK").as_bytes());
    say(&FORMAT.to_le_bytes());
    say(&ADMISSION.to_le_bytes());
    say(&backends::code_fingerprint(config.kind).to_le_bytes());
    say(config.kind.as_str().as_bytes());
    say(config.kind.version().as_bytes());
    say(config.effective_compiler().as_str().as_bytes());
    say(options(config).join(" ").as_bytes());
    let features = Feature::ALL.iter().filter(|feature| preflight::has(config, **feature));
    say(features.map(|feature| feature.as_str()).collect::<Vec<_>>().join(" ").as_bytes());
    say(target().as_bytes());
    say(cpu::features().join(" ").as_bytes());
    say(contents.as_bytes());
    hasher.finalize()
}

/// What of a configuration is in the code, engine and compiler aside: the names of what is switched on. Every field is
/// looked at here, so that a new one is not forgotten.
pub(super) fn options(config: &RuntimeConfig) -> Vec<&'static str> {
    let RuntimeConfig {
        kind: _,
        compiler: _,
        optimization: _,
        max_stack: _,
        parallel_compilation: _,
        metering,
        interruption,
        canonical_nans,
    } = config;
    let (cranelift, optimization) =
        (config.effective_compiler() == Compiler::Cranelift, config.effective_optimization());
    // The stack's bound is looked up where code runs, on both engines.
    let switches = [
        (*metering, "fuel"),
        (*interruption, "timeout"),
        (*canonical_nans, "deterministic"),
        (cranelift && optimization == Optimization::None, "opt-none"),
        (cranelift && optimization == Optimization::Size, "opt-size"),
    ];
    switches.into_iter().filter_map(|(on, name)| on.then_some(name)).collect()
}

/// What the program was compiled for, and so what its engines compile for.
fn target() -> String {
    let environment = if cfg!(target_env = "gnu") {
        "gnu"
    } else if cfg!(target_env = "musl") {
        "musl"
    } else {
        ""
    };
    let (arch, os) = (std::env::consts::ARCH, std::env::consts::OS);
    format!("{arch} {os} {environment} {}", usize::BITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_the_code_changes_the_key_and_nothing_else_does() {
        let of = |config: &RuntimeConfig, module: &[u8]| of(config, blake3::hash(module));
        let config = RuntimeConfig::wasmer();
        let others = [
            RuntimeConfig::wasmtime(),
            config.clone().with_compiler(Compiler::Singlepass),
            config.clone().with_metering(),
            config.clone().with_interruption(),
            config.clone().with_metering().with_interruption(),
            config.clone().with_canonical_nans(),
            config.clone().with_optimization(Optimization::None),
            config.clone().with_optimization(Optimization::Size),
        ];
        let mut keys: Vec<_> = others.iter().map(|config| of(config, b"module").to_hex()).collect();
        keys.push(of(&config, b"module").to_hex());
        keys.push(of(&config, b"modulf").to_hex());
        keys.push(of(&config, b"").to_hex());
        let number = keys.len();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), number);
        let same = config.clone().with_compiler(Compiler::Cranelift).with_max_stack(1 << 21);
        let same = same.with_optimization(Optimization::Speed);
        assert_eq!(of(&same, b"module"), of(&config, b"module"), "the default said aloud, and another stack");
    }
}
