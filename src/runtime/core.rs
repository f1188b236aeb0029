//! What every instance has, whatever its engine.
#![expect(unsafe_code, reason = "a handle finds its own instance again without asking for its type at each call")]

use std::fmt;
use std::marker::PhantomData;
use std::ptr::NonNull;
use std::sync::Arc;

use crate::error::Result;
use crate::limits::Limits;
use crate::module::info::ModuleInfo;
use crate::runtime::interrupt::InterruptHandle;
use crate::runtime::metrics::InstanceRegistry;
use crate::runtime::status::InstanceStatus;

/// The facts of a module, and the books of the runtime it belongs to.
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

    /// Whether the module belongs to the runtime that keeps these books.
    pub(crate) fn is_of(&self, registry: &Arc<InstanceRegistry>) -> bool {
        Arc::ptr_eq(&self.0.1, registry)
    }
}

/// Where an instance comes from, its life, and its entry in its runtime's books. Only the backends make any.
///
/// It is to be dropped before the engine's store, which its brake may point into.
pub struct InstanceCore {
    id: u64,
    owner: ModuleOwner,
    status: Arc<InstanceStatus>,
    /// Its entry in the books.
    entry: usize,
}

impl InstanceCore {
    /// Enters a new instance into its runtime's books.
    pub(crate) fn new(owner: &ModuleOwner, limits: Limits, shared_bytes: u64, interruption: bool) -> Result<Self> {
        let (status, entry) = owner.registry().register(limits, shared_bytes, interruption)?;
        Ok(Self { id: status.id(), owner: owner.clone(), status, entry })
    }

    /// The instance is made, and counts as such.
    pub(crate) fn made(self) -> Self {
        self.status.set_made();
        self
    }

    /// A number no other instance of the process has.
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

    /// Whether the guest may wait on shared memory where nothing ends the wait.
    pub(crate) fn outlasts_its_time(&self) -> bool {
        self.info().waits && !self.status.ends_waits()
    }

    /// Gives a guest that can be interrupted its brake.
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

impl fmt::Debug for InstanceCore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InstanceCore").field("info", self.info()).finish_non_exhaustive()
    }
}

/// An instance, borrowed, by the number that no other instance of the process has. Only the backends make any, so a
/// number tells the instance's type.
#[derive(Debug)]
pub struct Seat<'i> {
    id: u64,
    instance: NonNull<()>,
    borrowed: PhantomData<&'i mut ()>,
}

impl<'i> Seat<'i> {
    /// The seat of `instance`, whose number is `id`.
    #[inline]
    pub(crate) fn new<T>(id: u64, instance: &'i mut T) -> Self {
        Self { id, instance: NonNull::from(instance).cast(), borrowed: PhantomData }
    }

    /// The instance, where it is the one of this number.
    ///
    /// # Safety
    /// The instance of this number is a `T`.
    #[inline]
    pub(crate) unsafe fn of<T>(self, id: u64) -> Option<&'i mut T> {
        // SAFETY: the pointer came from an exclusive borrow of the instance of `self.id` that lasts for `'i`, and the
        // caller knows that to be a `T`.
        (self.id == id).then(|| unsafe { self.instance.cast().as_mut() })
    }
}
