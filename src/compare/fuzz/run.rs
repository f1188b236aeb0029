//! All modules, on several threads.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::check::check;
use super::{Finding, FuzzCounters, FuzzOptions, Signature};

/// The stack of each thread. The generator and the compilers recurse with the nesting of a module.
const STACK: usize = 8 << 20;

/// Generates modules and compares the engines on them, until all are done or `stop` is set. `found` gets each difference of a new
/// kind, from any thread.
///
/// A module depends only on the seed and its number. Which of several differences of one kind is reported depends on the order in
/// which threads find them.
///
/// # Errors
/// If the system provides no thread.
pub fn run(
    options: &FuzzOptions,
    counters: &FuzzCounters,
    stop: &AtomicBool,
    found: &(dyn Fn(Finding) + Sync),
) -> std::io::Result<()> {
    let next = AtomicU64::new(0);
    let known = Mutex::<Vec<Signature>>::default();
    let is_new = |signature: &Signature| {
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = known.iter().filter(|other| *other == signature).count() < options.findings_of_a_kind;
        if is_new {
            known.push(signature.clone());
        }
        is_new
    };
    let work = || {
        while !stop.load(Ordering::SeqCst) {
            let place = next.fetch_add(1, Ordering::SeqCst);
            if place >= options.modules {
                return;
            }
            let number = options.first.wrapping_add(place);
            check(options, number, counters, stop, is_new).into_iter().for_each(found);
        }
    };
    thread::scope(|scope| {
        let start = |_| thread::Builder::new().name("wrun fuzz".to_owned()).stack_size(STACK).spawn_scoped(scope, work);
        (0..options.threads.get()).map(start).try_for_each(|started| started.map(drop))
    })
}
