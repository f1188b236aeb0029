//! An ordered parallel map with bounded memory.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::thread;

use crossbeam_channel::{bounded, unbounded};

/// Calls `source` on one thread until it returns `None`, workers on `jobs` threads with its items, and `sink` on the calling
/// thread with what they return, in the order of the items if `ordered`. Ends early if `sink` breaks: items that no worker has
/// taken are dropped.
///
/// At most `4 * jobs` items are between `source` and `sink` at a time.
pub(super) fn run<T: Send, U: Send, W: FnMut(T) -> U>(
    jobs: NonZeroUsize,
    ordered: bool,
    mut source: impl FnMut() -> Option<T> + Send,
    worker: impl Fn() -> W + Sync,
    mut sink: impl FnMut(U) -> ControlFlow<()>,
) {
    let window = jobs.get() * 4;
    let (permits, free) = bounded(window);
    (0..window).for_each(|_| _ = permits.send(()));
    let (items, queue) = bounded::<(u64, T)>(window);
    let (outcomes, results) = unbounded::<(u64, U)>();
    thread::scope(|scope| {
        scope.spawn(move || {
            for number in 0.. {
                if free.recv().is_err() {
                    return;
                }
                let Some(item) = source() else { return };
                if items.send((number, item)).is_err() {
                    return;
                }
            }
        });
        for _ in 0..jobs.get() {
            let (queue, outcomes, worker) = (queue.clone(), outcomes.clone(), &worker);
            scope.spawn(move || {
                let mut work = worker();
                for (number, item) in queue {
                    if outcomes.send((number, work(item))).is_err() {
                        return;
                    }
                }
            });
        }
        drop((queue, outcomes));
        let mut waiting = BTreeMap::new();
        let mut next = 0;
        for (number, outcome) in results {
            waiting.insert(if ordered { number } else { next }, outcome);
            while let Some(outcome) = waiting.remove(&next) {
                next += 1;
                if sink(outcome).is_break() {
                    drop(permits);
                    return;
                }
                let _ = permits.send(());
            }
        }
    });
}
