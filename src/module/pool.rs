//! The threads that hash, validate and compile large modules.

use std::cell::OnceCell;
use std::error::Error;
use std::sync::OnceLock;

use rayon::{ThreadPool, ThreadPoolBuilder};

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

/// Makes `rayon` usable on this thread: if there are no other threads, this thread does all the work.
pub(crate) fn ensure_usable() {
    thread_local! {
        static ONLY_THIS_THREAD: OnceCell<Option<ThreadPool>> = const { OnceCell::new() };
    }
    if !has_threads() {
        let build = || ThreadPoolBuilder::new().num_threads(1).use_current_thread().build().ok();
        ONLY_THIS_THREAD.with(|pool| _ = pool.get_or_init(build));
    }
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
