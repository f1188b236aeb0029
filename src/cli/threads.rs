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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_module_is_compiled_by_the_thread_that_asks_and_another_by_all() {
        let pool_of = |bytes| {
            let asks = std::thread::spawn(move || {
                compile_small_alone(bytes);
                // What the engines do: hand work to the pool of the thread they are called by.
                let worked = rayon::join(|| std::thread::current().id(), || std::thread::current().id());
                (rayon::current_thread_index(), worked, std::thread::current().id())
            });
            asks.join().unwrap()
        };
        let (index, worked, asks) = pool_of(SMALL - 1);
        assert_eq!((index, worked), (Some(0), (asks, asks)));
        let (index, worked, asks) = pool_of(SMALL);
        assert_eq!(index, None, "it is no thread of a pool");
        assert_ne!(worked.0, asks);
    }
}
