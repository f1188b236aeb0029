//! Validates a component for one engine.

use std::borrow::Cow;
use std::sync::Arc;

use crate::component::info::{ComponentExtern, ComponentInfo, ComponentItem};
use crate::config::RuntimeConfig;
use crate::engine::features::Feature;
use crate::error::{Error, ErrorKind, Result};
use crate::escape::Escaped;
use crate::module::source::Binary;
use crate::runtime::preflight::validity::{is_feature_enabled, validate};

/// A valid component that one engine supports, before it is compiled.
#[derive(Clone, Debug)]
pub struct AdmittedComponent<'a> {
    config: RuntimeConfig,
    binary: Cow<'a, [u8]>,
    info: Arc<ComponentInfo>,
}

impl AdmittedComponent<'_> {
    /// Returns the binary component, for a runtime with the same configuration.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] if the configuration differs.
    #[cfg_attr(not(feature = "components"), expect(dead_code, reason = "no backend compiles components"))]
    pub(crate) fn binary_for(&self, config: &RuntimeConfig) -> Result<&[u8]> {
        if self.config == *config {
            return Ok(&self.binary);
        }
        let message = "the component was validated for a runtime with another configuration";
        Err(Error::new(ErrorKind::InvalidArgument, message))
    }

    /// Returns the binary component.
    #[must_use]
    pub fn binary(&self) -> &[u8] {
        &self.binary
    }

    /// Returns the imports, exports and other facts of the component.
    #[must_use]
    pub fn info(&self) -> &Arc<ComponentInfo> {
        &self.info
    }
}

/// The error for a component on an engine, or in a build, without components.
pub(crate) fn no_components() -> Error {
    let (message, hint) = if cfg!(feature = "components") {
        ("components run on wasmtime only", "use `--runtime wasmtime`")
    } else {
        let message =
            "this is a WebAssembly component, and this build of wrun has no components (feature `components`)";
        (message, "build with `--features components`")
    };
    Error::new(ErrorKind::UnsupportedFeature, message).with_hint(hint)
}

/// Validates a component in binary or text format for the configured engine.
///
/// # Errors
/// [`ErrorKind::InvalidModule`] if it is not a valid component; [`ErrorKind::UnsupportedFeature`] if it needs a feature that
/// the engine lacks, or what no engine can limit or provide, or the engine has no components.
pub fn admit_component<'a>(config: &RuntimeConfig, bytes: &'a [u8]) -> Result<AdmittedComponent<'a>> {
    match Binary::new(bytes)? {
        Binary::Component(binary) => admit_binary(config, binary),
        Binary::Module(_) => {
            let message = "this is a core module, not a component";
            Err(Error::new(ErrorKind::InvalidArgument, message).with_hint("load it as a module"))
        }
    }
}

/// Validates a binary component.
pub(super) fn admit_binary<'a>(config: &RuntimeConfig, binary: Cow<'a, [u8]>) -> Result<AdmittedComponent<'a>> {
    if !Feature::ComponentModel.is_available() || !is_feature_enabled(config, Feature::ComponentModel) {
        return Err(no_components());
    }
    let types = validate(config, &binary)?;
    let info = ComponentInfo::read_valid(&binary, &types)
        .map_err(|error| Error::new(ErrorKind::Internal, "a valid component could not be read").with_source(error))?;
    check_limitable(&info)?;
    check_imports(&info)?;
    Ok(AdmittedComponent { config: config.clone(), binary, info: Arc::new(info) })
}

/// Refuses a component that no limit could cover: an engine does not ask before it grows a shared memory.
fn check_limitable(info: &ComponentInfo) -> Result<()> {
    if info.shares_memory {
        let message = "the component has a shared memory, whose growth no limit would cover";
        return Err(Error::new(ErrorKind::UnsupportedFeature, message));
    }
    Ok(())
}

/// Refuses a component whose imports the host can never provide, such as core modules.
fn check_imports(info: &ComponentInfo) -> Result<()> {
    for ComponentExtern { name, item } in &info.imports {
        match item {
            ComponentItem::Resource(_) => return Err(not_provided("the resource", name)),
            ComponentItem::Module => return Err(not_provided("the core module", name)),
            ComponentItem::Component => return Err(not_provided("the component", name)),
            ComponentItem::Value(_) => return Err(not_provided("the value", name)),
            ComponentItem::Func(_) | ComponentItem::Instance(_) | ComponentItem::Type(_) | ComponentItem::OtherType => {
            }
        }
    }
    Ok(())
}

/// The error for an import that the host cannot provide.
pub(crate) fn not_provided(what: &str, name: &str) -> Error {
    let message = format!("the component imports {what} `{}`, but the host provides only functions", Escaped(name));
    Error::new(ErrorKind::UnsupportedFeature, message)
}
