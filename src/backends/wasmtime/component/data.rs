//! The data of a component's store.

use std::sync::Arc;

use super::super::limits::{Guest, GuestData};
use super::limits;
use super::resources::Resources;
use crate::runtime::status::InstanceStatus;

/// The data of the store of one component instance.
pub(super) struct ComponentData {
    pub(super) guest: Guest,
    /// The resources that the host holds.
    pub(super) resources: Resources,
}

impl ComponentData {
    /// Creates the data of the instance with this number.
    pub(super) fn new(status: Arc<InstanceStatus>, instance: u64) -> Self {
        Self { guest: Guest::with_max_items(status, limits::MAX_ITEMS), resources: Resources::new(instance) }
    }
}

impl GuestData for ComponentData {
    fn code_shift(&self) -> i64 {
        0
    }
}
