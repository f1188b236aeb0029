//! The one thread of the process that looks after guests whose time is up, or that do not heed an order.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

use crate::error::{Error, ErrorKind, Result};
use crate::runtime::status::InstanceStatus;

/// Instances to look at, by when and by where they are: at most one look at each.
static ROUNDS: Mutex<BTreeMap<(Instant, usize), Weak<InstanceStatus>>> = Mutex::new(BTreeMap::new());
static SOONER: Condvar = Condvar::new();

/// Has the thread run, from the first instance that needs it on.
///
/// # Errors
/// [`ErrorKind::Internal`] where the system has no thread to give.
pub(crate) fn start() -> Result<()> {
    static STARTED: Mutex<bool> = Mutex::new(false);
    let mut started = STARTED.lock().unwrap_or_else(PoisonError::into_inner);
    if !*started {
        let thread = std::thread::Builder::new().name("wrun watchdog".to_owned());
        thread.spawn(keep_watch).map_err(|error| {
            Error::new(ErrorKind::Internal, format!("no thread to watch over guests can be started: {error}"))
        })?;
        *started = true;
    }
    Ok(())
}

fn rounds() -> MutexGuard<'static, BTreeMap<(Instant, usize), Weak<InstanceStatus>>> {
    ROUNDS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Looks at an instance at `at`.
pub(crate) fn watch(status: &Weak<InstanceStatus>, at: Instant) {
    let mut rounds = rounds();
    let sooner = rounds.keys().next().is_none_or(|(next, _)| at < *next);
    rounds.insert((at, status.as_ptr().addr()), Weak::clone(status));
    if sooner {
        SOONER.notify_one();
    }
}

/// Does not look at an instance at `at` after all.
pub(crate) fn unwatch(status: &Weak<InstanceStatus>, at: Instant) {
    rounds().remove(&(at, status.as_ptr().addr()));
}

fn keep_watch() {
    let mut waiting = rounds();
    loop {
        let now = Instant::now();
        waiting = match waiting.first_entry() {
            None => SOONER.wait(waiting).unwrap_or_else(PoisonError::into_inner),
            Some(next) if next.key().0 > now => {
                let left = next.key().0 - now;
                SOONER.wait_timeout(waiting, left).unwrap_or_else(PoisonError::into_inner).0
            }
            Some(due) => {
                let ((at, _), status) = due.remove_entry();
                // The instance's own lock is taken without this one: its threads take them the other way round.
                drop(waiting);
                if let Some(interrupt) = status.upgrade().as_ref().and_then(|status| status.interrupt()) {
                    interrupt.check_deadline(at, now);
                }
                rounds()
            }
        };
    }
}
