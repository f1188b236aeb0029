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
    /// imports by itself is `""`.
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

    /// Returns all functions, with interface and name.
    pub(crate) fn functions(&self) -> impl Iterator<Item = (&str, &str, &Arc<ComponentFunction>)> {
        self.functions.iter().map(|((interface, name), function)| (&**interface, &**name, function))
    }
}
