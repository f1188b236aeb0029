//! The tokio runtime that watches timers and sockets for components.

use std::io;
use std::sync::OnceLock;

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
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    if let Some(runtime) = RUNTIME.get() {
        return Ok(runtime.enter());
    }
    let created = Builder::new_multi_thread().worker_threads(1).thread_name("wrun wasi").enable_all().build()?;
    Ok(RUNTIME.get_or_init(|| created).enter())
}
