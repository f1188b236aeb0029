//! Imports of components that the embedder provides: functions as a name plus a closure.

use std::collections::BTreeMap;
use std::sync::Arc;

use derive_more::Debug;

use crate::component::value::WitValue;
use crate::runtime::host::{HostError, InterruptToken};

/// A function of the embedder. It gets the arguments, which have the types that the component declares, and returns the result.
pub type ComponentFunction =
    dyn Fn(&InterruptToken, &[WitValue]) -> Result<Option<WitValue>, HostError> + Send + Sync + 'static;

/// Imports that the embedder provides to components. They replace functions of WASI with the same name.
#[derive(Clone, Debug, Default)]
pub struct ComponentImports {
    #[debug("{} functions", functions.len())]
    functions: BTreeMap<(String, String), Arc<ComponentFunction>>,
}

impl ComponentImports {
    /// No imports.
    pub const NONE: &'static Self = &Self { functions: BTreeMap::new() };

    /// Adds a function of an interface, such as `demo:shop/prices@1.0.0`; the interface of a function that the component
    /// imports directly is `""`.
    #[must_use]
    pub fn with(
        mut self,
        interface: impl Into<String>,
        name: impl Into<String>,
        function: impl Fn(&InterruptToken, &[WitValue]) -> Result<Option<WitValue>, HostError> + Send + Sync + 'static,
    ) -> Self {
        self.functions.insert((interface.into(), name.into()), Arc::new(function));
        self
    }

    /// Returns the function with this name in an interface, or in a version of the interface that is compatible by semantic
    /// versioning.
    #[cfg_attr(not(feature = "components"), expect(dead_code, reason = "only components import them"))]
    pub(crate) fn find(&self, interface: &str, name: &str) -> Option<&Arc<ComponentFunction>> {
        let exact = self.functions.get(&(interface.to_owned(), name.to_owned()));
        let compatible = || {
            let track = Some(compatible_name(interface)?);
            let mut functions = self.functions.iter();
            functions.find(|((other, of), _)| of == name && compatible_name(other) == track).map(|(_, body)| body)
        };
        exact.or_else(compatible)
    }
}

/// Returns the part of an interface's name that all compatible versions share: `demo:shop/prices@1` of
/// `demo:shop/prices@1.2.0`, `@0.2` of `@0.2.1`. Returns `None` if no other version is compatible.
fn compatible_name(interface: &str) -> Option<&str> {
    let (name, version) = interface.split_once('@')?;
    if version.contains('-') {
        return None;
    }
    let mut parts = version.split('+').next()?.split('.');
    let (major, minor) = (parts.next()?, parts.next()?);
    let length = match (major, minor) {
        ("0", "0") => return None,
        ("0", minor) => 2 + minor.len(),
        (major, _) => major.len(),
    };
    interface.get(..name.len() + 1 + length)
}
