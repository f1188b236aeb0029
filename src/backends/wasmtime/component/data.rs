//! The data of a component's store.

use std::sync::Arc;

use wasmtime::{FrameInfo, Module};

use super::super::limits::{Guest, GuestData};
use super::resources::Resources;
use crate::runtime::status::InstanceStatus;
use crate::wasi::component::{ComponentWasi, HasWasi};

/// The maximum number of core instances in one instance of a component, and of memories, and of tables.
const MAX_ITEMS: usize = 1000;

/// An import of every adapter module that the engine generates.
const ADAPTER_IMPORT: &str = "callee";

/// The data of the store of one component instance.
pub(super) struct ComponentData {
    pub(super) guest: Guest,
    /// The resources that the host holds.
    pub(super) resources: Resources,
    /// The state of WASI, if the component imports WASI.
    pub(super) wasi: Option<Box<ComponentWasi>>,
}

impl ComponentData {
    /// Creates the data of the instance with this number.
    pub(super) fn new(status: Arc<InstanceStatus>, instance: u64) -> Self {
        let guest = Guest::of_component(status, MAX_ITEMS);
        Self { guest, resources: Resources::new(instance), wasi: None }
    }
}

impl GuestData for ComponentData {
    fn offset(&self, frame: &FrameInfo) -> Option<u64> {
        let offset = frame.module_offset()?;
        (!is_adapter(frame.module())).then_some(offset as u64)
    }
}

impl HasWasi for ComponentData {
    fn wasi(&mut self) -> &mut ComponentWasi {
        self.wasi.as_mut().expect("instantiation creates the state if WASI was linked")
    }
}

/// Returns whether the engine generated a core module, to convert the values of calls between components.
fn is_adapter(module: &Module) -> bool {
    module.name().is_none() && module.imports().any(|import| import.module() == ADAPTER_IMPORT)
}
