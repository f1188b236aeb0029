//! What every instance has, whatever its engine.
#![expect(unsafe_code, reason = "a handle finds its own instance again without asking for its type at each call")]

use std::fmt;
use std::marker::PhantomData;
use std::ptr::NonNull;
use std::sync::Arc;

use crate::error::Result;
use crate::limits::Limits;
use crate::module::info::ModuleInfo;
use crate::runtime::life::Life;
use crate::runtime::metrics::Ledger;
use crate::runtime::reins::Brake;

/// The facts of a module, and the books of the runtime it belongs to.
#[derive(Clone, Debug)]
pub(crate) struct Origin(Arc<(Arc<ModuleInfo>, Arc<Ledger>)>);

impl Origin {
    pub(crate) fn new(info: Arc<ModuleInfo>, ledger: &Arc<Ledger>) -> Self {
        Self(Arc::new((info, Arc::clone(ledger))))
    }

    pub(crate) fn info(&self) -> &Arc<ModuleInfo> {
        &self.0.0
    }

    fn ledger(&self) -> &Ledger {
        &self.0.1
    }

    /// Whether the module belongs to the runtime that keeps these books.
    pub(crate) fn is_of(&self, ledger: &Arc<Ledger>) -> bool {
        Arc::ptr_eq(&self.0.1, ledger)
    }
}

/// Where an instance comes from, its life, and its entry in its runtime's books. Only the backends make any.
///
/// It is to be dropped before the engine's store, which its brake may point into.
pub struct InstanceCore {
    id: u64,
    origin: Origin,
    life: Arc<Life>,
    /// Its entry in the books.
    entry: usize,
}

impl InstanceCore {
    /// Enters a new instance into its runtime's books.
    pub(crate) fn new(origin: &Origin, limits: Limits, shared_bytes: u64, interruption: bool) -> Result<Self> {
        let (life, entry) = origin.ledger().enroll(limits, shared_bytes, interruption)?;
        Ok(Self { id: life.id(), origin: origin.clone(), life, entry })
    }

    /// The instance is made, and counts as such.
    pub(crate) fn made(self) -> Self {
        self.life.set_made();
        self
    }

    /// A number no other instance of the process has.
    #[inline]
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    pub(crate) fn info(&self) -> &Arc<ModuleInfo> {
        self.origin.info()
    }

    #[inline]
    pub(crate) fn life(&self) -> &Arc<Life> {
        &self.life
    }

    /// Whether the guest may wait on shared memory where nothing ends the wait.
    pub(crate) fn outlasts_its_time(&self) -> bool {
        self.info().waits && !self.life.ends_waits()
    }

    /// Gives a guest that can be interrupted its brake.
    pub(crate) fn set_brake(&self, brake: impl Brake + 'static) {
        if let Some(reins) = self.life.reins() {
            reins.set_brake(Box::new(brake));
        }
    }
}

impl Drop for InstanceCore {
    fn drop(&mut self) {
        if let Some(reins) = self.life.reins() {
            reins.let_go();
        }
        self.origin.ledger().retire(self.entry);
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
