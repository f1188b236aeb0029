//! The threads that hash, validate and compile large modules.

use std::error::Error;
use std::sync::OnceLock;

use rayon::ThreadPoolBuilder;

/// Returns whether code of this size compiles faster on one thread than it takes to start more: if it has less than 16 KiB.
pub(crate) fn is_small(bytes: u64) -> bool {
    bytes < 16 << 10
}

/// Starts `rayon`'s threads if needed, and returns whether they run. Without this check, `rayon` panics if the system cannot
/// start a thread.
pub(crate) fn has_threads() -> bool {
    static STARTED: OnceLock<bool> = OnceLock::new();
    let start = || match ThreadPoolBuilder::new().build_global() {
        Ok(()) => true,
        // Without a source, the error is that another caller has already started them.
        Err(error) => error.source().is_none(),
    };
    rayon::current_thread_index().is_some() || *STARTED.get_or_init(start)
}

#[cfg(test)]
mod tests {
    use rayon::iter::{IntoParallelIterator, ParallelIterator};

    use super::*;

    #[test]
    fn a_thread_can_be_the_only_one_of_its_pool() {
        let on_one_thread = || {
            let pool = ThreadPoolBuilder::new().num_threads(1).use_current_thread().build().unwrap();
            let thread = std::thread::current().id();
            let all_here = || (0..1000).into_par_iter().all(|_| std::thread::current().id() == thread);
            assert!(all_here());
            assert!(has_threads());
            drop(pool);
            assert!(all_here());
        };
        std::thread::spawn(on_one_thread).join().unwrap();
    }
}
