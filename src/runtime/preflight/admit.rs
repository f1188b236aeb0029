//! Validates a module or a component for one engine and compiler.

use std::sync::Arc;

use crate::component::info::CodeInfo;
use crate::config::RuntimeConfig;
use crate::error::Result;
use crate::module::source::Binary;
use crate::runtime::preflight::component::{self, AdmittedComponent};
use crate::runtime::preflight::module::{self, AdmittedModule};

/// A valid module or component that one engine supports, before it is compiled.
#[derive(Clone, Debug)]
pub enum AdmittedCode<'a> {
    /// A core module.
    Module(AdmittedModule<'a>),
    /// A component.
    Component(AdmittedComponent<'a>),
}

impl AdmittedCode<'_> {
    /// Returns the binary module or component.
    #[must_use]
    pub fn binary(&self) -> &[u8] {
        match self {
            Self::Module(module) => module.binary(),
            Self::Component(component) => component.binary(),
        }
    }

    /// Returns the imports, exports and other facts.
    #[must_use]
    pub fn info(&self) -> CodeInfo {
        match self {
            Self::Module(module) => CodeInfo::Module(Arc::clone(module.info())),
            Self::Component(component) => CodeInfo::Component(Arc::clone(component.info())),
        }
    }
}

/// Validates a module or a component, in binary or text format, for the configured engine and compiler. The content decides
/// which it is.
///
/// # Errors
/// [`ErrorKind::InvalidModule`](crate::ErrorKind::InvalidModule) if it is not valid;
/// [`ErrorKind::UnsupportedFeature`](crate::ErrorKind::UnsupportedFeature) if it needs a feature that the engine or the compiler
/// lacks, or is a component and the engine, or this build of wrun, has no components.
pub fn admit<'a>(config: &RuntimeConfig, bytes: &'a [u8]) -> Result<AdmittedCode<'a>> {
    match Binary::new(bytes)? {
        Binary::Module(binary) => module::admit_binary(config, binary).map(AdmittedCode::Module),
        Binary::Component(binary) => component::admit_binary(config, binary).map(AdmittedCode::Component),
    }
}
