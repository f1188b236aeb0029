//! Stands in for the parts that read components in a build without them.

use wasmparser::types::Types;

use crate::component::info::ComponentInfo;
use crate::error::{Error, ErrorKind, Result};

impl ComponentInfo {
    /// Refuses every component.
    ///
    /// # Errors
    /// [`ErrorKind::UnsupportedFeature`].
    pub fn read(_binary: &[u8]) -> Result<Self> {
        Err(no_components())
    }

    pub(crate) fn read_valid(_binary: &[u8], _types: &Types) -> Result<Self> {
        Err(no_components())
    }
}

/// Refuses every component.
///
/// # Errors
/// [`ErrorKind::UnsupportedFeature`].
pub fn wit_text(_binary: &[u8], _info: &ComponentInfo) -> Result<String> {
    Err(no_components())
}

fn no_components() -> Error {
    let message = "this is a WebAssembly component, and this build of wrun has no components (feature `components`)";
    Error::new(ErrorKind::UnsupportedFeature, message).with_hint("build with `--features components`")
}
