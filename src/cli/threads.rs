//! Threads that compile.

use rayon::ThreadPoolBuilder;

/// The bytes of a module that one thread compiles sooner than others are started.
const SMALL: usize = 16 << 10;

/// Has a small module compiled by the thread that asks, and by no other. The engines compile on the pool of the thread they are
/// called by, and would start one for all cores where it has none.
pub(crate) fn compile_small_alone(module_bytes: usize) {
    if module_bytes >= SMALL {
        return;
    }
    // Without a pool of its own, it is compiled by all cores: later, and no worse.
    if let Ok(pool) = ThreadPoolBuilder::new().num_threads(1).use_current_thread().build() {
        // The thread works for the pool until the process ends.
        std::mem::forget(pool);
    }
}
