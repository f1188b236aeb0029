//! Checks a runtime configuration, and whether the engine can grant capabilities.

use crate::capabilities::Capabilities;
use crate::config::RuntimeConfig;
use crate::engine::features::Feature;
use crate::engine::kind::{Compiler, Optimization, RuntimeKind};
use crate::error::{Error, ErrorKind, Result};
use crate::runtime::preflight::is_feature_enabled;

/// The smallest guest stack in bytes: enough for one host call.
pub const MIN_STACK: u64 = 64 << 10;
/// The largest guest stack in bytes.
pub const MAX_STACK: u64 = 1 << 30;

/// Checks a configuration without creating an engine.
///
/// # Errors
/// [`ErrorKind::EngineUnavailable`] if the engine is not compiled in; [`ErrorKind::UnsupportedConfig`] if it lacks the
/// compiler or does not support the optimization level, the stack size or canonical NaNs.
pub fn check_config(config: &RuntimeConfig) -> Result<()> {
    let kind = config.kind;
    let unsupported = |message: String| Error::new(ErrorKind::UnsupportedConfig, message);
    if !kind.is_available() {
        let message = format!("the engine {kind} is not compiled into this wrun");
        let mut error = Error::new(ErrorKind::EngineUnavailable, message)
            .with_hint(format!("build with `--features {}`", kind.cargo_feature()));
        if let Some(other) = RuntimeKind::available().next() {
            error = error.with_hint(format!("or use `--runtime {other}`"));
        }
        return Err(error);
    }
    let compiler = config.effective_compiler();
    if !kind.compilers().contains(&compiler) {
        let error = unsupported(format!("the engine {kind} has no compiler {compiler}"));
        let others = RuntimeKind::ALL.iter().filter(|kind| kind.compilers().contains(&compiler));
        return Err(others
            .fold(error, |error, other| error.with_hint(format!("{other} has {compiler}: use `--runtime {other}`"))));
    }
    let is_singlepass = compiler == Compiler::Singlepass;
    if let Some(level @ (Optimization::Speed | Optimization::Size)) = config.optimization
        && is_singlepass
    {
        let error = unsupported(format!("singlepass cannot optimize for {level}"));
        return Err(error.with_hint("use `--compiler cranelift`"));
    }
    if config.canonical_nans && !config.effective_compiler().has_canonical_nans() {
        let error = unsupported("singlepass does not make every NaN canonical".to_owned());
        return Err(error.with_hint("use `--compiler cranelift`"));
    }
    let stack = config.effective_max_stack();
    if !(MIN_STACK..=MAX_STACK).contains(&stack) {
        return Err(unsupported(format!(
            "a guest stack of {stack} bytes is out of range: {MIN_STACK} (64 KiB) to {MAX_STACK} (1 GiB)"
        )));
    }
    Ok(())
}

/// Checks that an engine can grant capabilities to a module that is not an Extism plug-in.
///
/// # Errors
/// Those of [`Capabilities::check`]; [`ErrorKind::Grant`] for network access if the engine provides none, or together with a
/// seed, because network access is not deterministic.
pub fn check_grants(kind: RuntimeKind, capabilities: &Capabilities) -> Result<()> {
    capabilities.check()?;
    if let Some(rule) = capabilities.net.first()
        && !kind.modules_have_network()
    {
        let error = Error::new(ErrorKind::Grant, format!("cannot grant `{rule}`: {kind} has no network for modules"));
        return Err(match RuntimeKind::available().find(|other| other.modules_have_network()) {
            Some(other) => error.with_hint(format!("use `--runtime {other}`")),
            None => error.with_hint("build with `--features wasix`"),
        });
    }
    check_no_network_with_seed(capabilities)
}

/// Checks that capabilities can be granted to code that has network access on each engine: a component, or an Extism plug-in in a build
/// that makes HTTP requests.
///
/// # Errors
/// Those of [`Capabilities::check`]; [`ErrorKind::Grant`] for network access together with a seed, because network access is not
/// deterministic.
pub fn check_grants_with_network(capabilities: &Capabilities) -> Result<()> {
    capabilities.check()?;
    check_no_network_with_seed(capabilities)
}

/// Checks that an engine can grant capabilities to some modules, or to components.
///
/// # Errors
/// As [`check_grants`].
pub fn check_possible_grants(config: &RuntimeConfig, capabilities: &Capabilities) -> Result<()> {
    let runs_components = Feature::ComponentModel.is_available() && is_feature_enabled(config, Feature::ComponentModel);
    if cfg!(feature = "http") || runs_components {
        return check_grants_with_network(capabilities);
    }
    check_grants(config.kind, capabilities)
}

fn check_no_network_with_seed(capabilities: &Capabilities) -> Result<()> {
    if let Some(rule) = capabilities.net.first()
        && capabilities.seed.is_some()
    {
        let message = format!("cannot grant `{rule}` in deterministic mode: network access is not deterministic");
        return Err(Error::new(ErrorKind::Grant, message));
    }
    Ok(())
}
