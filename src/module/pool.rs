//! The threads that hash and validate large modules.

use std::error::Error;
use std::sync::OnceLock;

use rayon::ThreadPoolBuilder;

/// Starts `rayon`'s threads unless they run already; whether they run. Without this check, `rayon` panics if the system
/// cannot start a thread.
pub(crate) fn has_threads() -> bool {
    static STARTED: OnceLock<bool> = OnceLock::new();
    let start = || match ThreadPoolBuilder::new().build_global() {
        Ok(()) => true,
        // Without a source, the error is that another caller has already started them.
        Err(error) => error.source().is_none(),
    };
    rayon::current_thread_index().is_some() || *STARTED.get_or_init(start)
}
