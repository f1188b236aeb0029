//! How another thread stops a batch.

use std::sync::atomic::{AtomicBool, Ordering};

use derive_more::Debug;

use super::pipeline::threads::Interrupt;

/// Stops a batch from another thread: reading ends, running calls finish, and their results are written. Ordered output is then
/// a prefix of the complete output.
#[derive(Debug, Default)]
pub struct Stop {
    requested: AtomicBool,
    #[debug(skip)]
    wake: Option<Box<dyn Fn() + Send + Sync>>,
}

impl Stop {
    /// Creates a stop that also interrupts a blocking read of the input. `wake` must make the current read and each later one
    /// return soon, with any result: the batch ignores it. [`Stop::request`] calls `wake`. A batch that ends because of a record or
    /// a closed output calls it too. It may be called several times, from any thread.
    ///
    /// Without a waker (`Stop::default()`), a batch that stops waits until the read returns.
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

    /// Interrupts a blocking read of the input.
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
