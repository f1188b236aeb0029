//! How another thread stops a batch.

use std::sync::atomic::{AtomicBool, Ordering};

use derive_more::Debug;

use super::pipeline::threads::Interrupt;

/// Stops a batch from another thread: reading ends, running calls finish, and their results are written. In
/// order, the output is a prefix of what it would have been.
#[derive(Debug, Default)]
pub struct Stop {
    requested: AtomicBool,
    #[debug(skip)]
    wake: Option<Box<dyn Fn() + Send + Sync>>,
}

impl Stop {
    /// Creates one that can end a read of the input that waits. `wake` must make such a read return soon, whether it waits now or
    /// begins later, with any result: the batch ignores it. [`Stop::request`] calls it, and so does a batch that needs no more
    /// input because its output is closed or a record ended it. It may be called several times, from any thread.
    ///
    /// Without it (`Stop::default()`), a batch that stops waits until the read returns.
    pub fn with_waker(wake: impl Fn() + Send + Sync + 'static) -> Self {
        Self { requested: AtomicBool::new(false), wake: Some(Box::new(wake)) }
    }

    /// Asks the batch to stop.
    pub fn request(&self) {
        self.requested.store(true, Ordering::SeqCst);
        self.wake();
    }

    /// Returns whether the batch was asked to stop.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        self.requested.load(Ordering::SeqCst)
    }

    /// Ends a read of the input that waits.
    pub(super) fn wake(&self) {
        if let Some(wake) = &self.wake {
            wake();
        }
    }
}

impl Interrupt for &Stop {
    fn is_requested(&self) -> bool {
        Stop::is_requested(self)
    }

    fn wake(&self) {
        Stop::wake(self);
    }
}
