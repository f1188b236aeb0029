//! Links a module and its instances to the runtime that made them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::Result;
use crate::limits::Limits;
use crate::module::info::ModuleInfo;
use crate::runtime::interrupt::InterruptHandle;
use crate::runtime::registry::InstanceRegistry;
use crate::runtime::status::InstanceStatus;

/// The facts of a module, and the registry of its runtime.
#[derive(Clone, Debug)]
pub(crate) struct ModuleOwner(Arc<(Arc<ModuleInfo>, Arc<InstanceRegistry>)>);

impl ModuleOwner {
    pub(crate) fn new(info: Arc<ModuleInfo>, registry: &Arc<InstanceRegistry>) -> Self {
        Self(Arc::new((info, Arc::clone(registry))))
    }

    pub(crate) fn info(&self) -> &Arc<ModuleInfo> {
        &self.0.0
    }

    fn registry(&self) -> &InstanceRegistry {
        &self.0.1
    }

    /// Returns whether the module belongs to the runtime with this registry.
    pub(crate) fn is_of(&self, registry: &Arc<InstanceRegistry>) -> bool {
        Arc::ptr_eq(&self.0.1, registry)
    }
}

/// The part of an instance that all backends share: its module, its status, and its entry in the runtime's registry.
///
/// A backend must drop it before the engine's store, because the interrupt handle may point into the store.
#[derive(derive_more::Debug)]
#[debug("{:?}", self.info())]
pub(crate) struct InstanceCore {
    id: u64,
    owner: ModuleOwner,
    status: Arc<InstanceStatus>,
    /// The key of the entry in the registry.
    entry: usize,
}

impl InstanceCore {
    /// Registers a new instance.
    ///
    /// # Errors
    /// Those of [`InstanceRegistry::register`].
    pub(crate) fn new(owner: &ModuleOwner, limits: Limits, shared_bytes: u64, interruption: bool) -> Result<Self> {
        static NEXT_ID: AtomicU64 = AtomicU64::new(0);
        let (status, entry) = owner.registry().register(limits, shared_bytes, interruption)?;
        Ok(Self { id: NEXT_ID.fetch_add(1, Ordering::Relaxed), owner: owner.clone(), status, entry })
    }

    /// Counts the instance as created.
    pub(crate) fn made(self) -> Self {
        self.status.set_made();
        self
    }

    /// Returns a number that is unique in the process.
    #[inline]
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    pub(crate) fn info(&self) -> &Arc<ModuleInfo> {
        self.owner.info()
    }

    #[inline]
    pub(crate) fn status(&self) -> &Arc<InstanceStatus> {
        &self.status
    }

    /// Returns whether the guest may wait on shared memory and nothing can end the wait.
    pub(crate) fn may_wait_forever(&self) -> bool {
        self.info().waits && !self.status.ends_waits()
    }

    /// Sets the handle by which an interruptible guest is interrupted.
    pub(crate) fn set_interrupt_handle(&self, handle: impl InterruptHandle + 'static) {
        if let Some(interrupt) = self.status.interrupt() {
            interrupt.set_interrupt_handle(Box::new(handle));
        }
    }
}

impl Drop for InstanceCore {
    fn drop(&mut self) {
        if let Some(interrupt) = self.status.interrupt() {
            interrupt.detach();
        }
        self.owner.registry().unregister(self.entry);
    }
}
