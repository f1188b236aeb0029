//! Links compiled code and its instances to the runtime that made them.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::Result;
use crate::limits::Limits;
use crate::module::info::ModuleInfo;
use crate::runtime::interrupt::InterruptHandle;
use crate::runtime::registry::InstanceRegistry;
use crate::runtime::status::InstanceStatus;

/// The facts of a module or a component, and the registry of its runtime.
#[derive(Debug)]
pub(crate) struct CodeOwner<I>(Arc<(Arc<I>, Arc<InstanceRegistry>)>);

pub(crate) type ModuleOwner = CodeOwner<ModuleInfo>;

impl<I> Clone for CodeOwner<I> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<I> CodeOwner<I> {
    pub(crate) fn new(info: Arc<I>, registry: &Arc<InstanceRegistry>) -> Self {
        Self(Arc::new((info, Arc::clone(registry))))
    }

    pub(crate) fn info(&self) -> &Arc<I> {
        &self.0.0
    }

    fn registry(&self) -> &InstanceRegistry {
        &self.0.1
    }

    /// Returns whether the code belongs to the runtime with this registry.
    pub(crate) fn is_of(&self, registry: &Arc<InstanceRegistry>) -> bool {
        Arc::ptr_eq(&self.0.1, registry)
    }
}

/// The part of an instance that all backends share: its module or component, its status, and its entry in the runtime's
/// registry.
///
/// A backend must drop it before the engine's store, because the interrupt handle may point into the store.
#[derive(derive_more::Debug)]
#[debug("{:?}", self.info())]
pub(crate) struct InstanceCore<I: Debug = ModuleInfo> {
    id: u64,
    owner: CodeOwner<I>,
    status: Arc<InstanceStatus>,
    /// The key of the entry in the registry.
    entry: usize,
}

impl<I: Debug> InstanceCore<I> {
    /// Registers a new instance.
    ///
    /// # Errors
    /// Those of [`InstanceRegistry::register`].
    pub(crate) fn new(owner: &CodeOwner<I>, limits: Limits, shared_bytes: u64, interruption: bool) -> Result<Self> {
        static NEXT_ID: AtomicU64 = AtomicU64::new(0);
        let (status, entry) = owner.registry().register(limits, shared_bytes, interruption)?;
        Ok(Self { id: NEXT_ID.fetch_add(1, Ordering::Relaxed), owner: owner.clone(), status, entry })
    }

    /// Marks the instance as created.
    pub(crate) fn created(self) -> Self {
        self.status.set_created();
        self
    }

    /// Returns a number that is unique in the process.
    #[inline]
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    pub(crate) fn info(&self) -> &Arc<I> {
        self.owner.info()
    }

    #[inline]
    pub(crate) fn status(&self) -> &Arc<InstanceStatus> {
        &self.status
    }

    /// Sets the handle by which an interruptible guest is interrupted.
    pub(crate) fn set_interrupt_handle(&self, handle: impl InterruptHandle + 'static) {
        if let Some(interrupt) = self.status.interrupt() {
            interrupt.set_interrupt_handle(Box::new(handle));
        }
    }
}

impl InstanceCore {
    /// Returns whether the guest may wait on shared memory and nothing can end the wait.
    pub(crate) fn may_wait_forever(&self) -> bool {
        self.info().waits && !self.status.ends_waits()
    }
}

impl<I: Debug> Drop for InstanceCore<I> {
    fn drop(&mut self) {
        if let Some(interrupt) = self.status.interrupt() {
            interrupt.detach();
        }
        self.owner.registry().unregister(self.entry);
    }
}
