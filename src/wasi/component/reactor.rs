//! The tokio runtime that watches timers and sockets for components.

use std::io;
use std::sync::{Mutex, OnceLock, PoisonError};

use tokio::runtime::{Builder, EnterGuard, Runtime};

use super::link::Linked;

impl Linked {
    /// Lets the futures of a component use timers and sockets on this thread until the guard is dropped, if the component needs
    /// them.
    ///
    /// # Errors
    /// If the system has no thread or no descriptors for it.
    pub(crate) fn enter(self) -> io::Result<Option<EnterGuard<'static>>> {
        self.uses_reactor.then(enter).transpose()
    }
}

/// Timers and sockets become ready even while their guest computes, because another thread watches them: one for all
/// components of the process, started on the first call.
fn enter() -> io::Result<EnterGuard<'static>> {
    static REACTOR: Reactor = Reactor::new();
    REACTOR.enter(|| Builder::new_multi_thread().worker_threads(1).thread_name("wrun wasi").enable_all().build())
}

/// A runtime that is created when it is first needed.
#[derive(Debug)]
struct Reactor {
    runtime: OnceLock<Runtime>,
    creating: Mutex<()>,
}

impl Reactor {
    const fn new() -> Self {
        Self { runtime: OnceLock::new(), creating: Mutex::new(()) }
    }

    fn enter(&self, create: impl FnOnce() -> io::Result<Runtime>) -> io::Result<EnterGuard<'_>> {
        if let Some(runtime) = self.runtime.get() {
            return Ok(runtime.enter());
        }
        // The caller may be a task of another tokio runtime, in which dropping a runtime panics. So never create a second one.
        let _creating = self.creating.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(runtime) = self.runtime.get() {
            return Ok(runtime.enter());
        }
        let created = create()?;
        Ok(self.runtime.get_or_init(|| created).enter())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;
    use std::time::Duration;

    use super::*;

    #[test]
    fn tasks_of_an_embedder_start_it_together() {
        let (reactor, created) = (Reactor::new(), AtomicUsize::new(0));
        let create = || {
            created.fetch_add(1, Ordering::Relaxed);
            // For the other threads to get here, if they can.
            thread::sleep(Duration::from_millis(50));
            Builder::new_multi_thread().worker_threads(1).build()
        };
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let embedder = Builder::new_current_thread().build().unwrap();
                    embedder.block_on(async { drop(reactor.enter(create).unwrap()) });
                });
            }
        });
        assert_eq!(created.into_inner(), 1);
    }
}
