//! The tokio runtime of the embedder, which its functions see while a component runs on another one.

use std::cell::RefCell;

use tokio::runtime::{EnterGuard, Handle};

thread_local! {
    /// The embedder's runtime, if a component runs on this thread and its caller is in a runtime.
    static EMBEDDER: RefCell<Option<Handle>> = const { RefCell::new(None) };
}

/// Remembers the current runtime as the embedder's until the guard is dropped.
pub(super) fn keep() -> RuntimeGuard {
    RuntimeGuard(EMBEDDER.replace(Handle::try_current().ok()))
}

/// Restores the previous runtime when dropped.
pub(super) struct RuntimeGuard(Option<Handle>);

impl Drop for RuntimeGuard {
    fn drop(&mut self) {
        EMBEDDER.set(self.0.take());
    }
}

/// Runs a function of the embedder in its runtime.
pub(super) fn run<R>(function: impl FnOnce() -> R) -> R {
    let embedder = EMBEDDER.with_borrow(Clone::clone);
    let _entered: Option<EnterGuard<'_>> = embedder.as_ref().map(Handle::enter);
    function()
}
