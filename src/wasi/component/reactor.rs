//! The tokio runtime that watches timers and sockets for components.

use std::io;
use std::sync::OnceLock;

use tokio::runtime::{Builder, EnterGuard, Runtime};

/// Lets futures on this thread use timers and sockets until the guard is dropped. They become ready even while their guest
/// computes, because another thread watches them: one for all components of the process, started on the first call.
///
/// # Errors
/// If the system has no thread or no descriptors for it.
pub(crate) fn enter() -> io::Result<EnterGuard<'static>> {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    if let Some(runtime) = RUNTIME.get() {
        return Ok(runtime.enter());
    }
    let created = Builder::new_multi_thread().worker_threads(1).thread_name("wrun wasi").enable_all().build()?;
    Ok(RUNTIME.get_or_init(|| created).enter())
}
