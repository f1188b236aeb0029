//! Validates a component for one engine.

use std::borrow::Cow;
use std::sync::Arc;

use crate::component::info::ComponentInfo;
use crate::config::RuntimeConfig;
use crate::engine::kind::RuntimeKind;
use crate::error::{Error, ErrorKind, Result};

/// A valid component that one engine supports, before it is compiled.
#[derive(Clone, Debug)]
pub struct AdmittedComponent<'a> {
    pub(super) config: RuntimeConfig,
    pub(super) binary: Cow<'a, [u8]>,
    pub(super) info: Arc<ComponentInfo>,
}

impl AdmittedComponent<'_> {
    /// Returns the binary component, for a runtime with the same configuration.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] if the configuration differs.
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
    let message = "components run on wasmtime only";
    Error::new(ErrorKind::UnsupportedFeature, message).with_hint("use `--runtime wasmtime`")
}

/// Validates a component in binary or text format for the configured engine.
///
/// # Errors
/// [`ErrorKind::InvalidModule`] if it is not a valid component; [`ErrorKind::UnsupportedFeature`] if it needs a feature that
/// the engine lacks, or the engine has no components.
pub fn admit_component<'a>(config: &RuntimeConfig, bytes: &'a [u8]) -> Result<AdmittedComponent<'a>> {
    let _ = (config, bytes);
    Err(no_components())
}
