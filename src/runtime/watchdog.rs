//! The watchdog: one thread per process, which wakes objects at scheduled times.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

use crate::error::{Error, ErrorKind, Result};

/// Something that the watchdog can wake.
pub(crate) trait Watched: Send + Sync {
    /// Called on the watchdog thread, at `scheduled` or later.
    fn wake(&self, scheduled: Instant, now: Instant);
}

/// Scheduled wakeups, by time and by the address of what to wake. Each object has at most one.
type Schedule = BTreeMap<(Instant, usize), Weak<dyn Watched>>;

static SCHEDULE: Mutex<Schedule> = Mutex::new(BTreeMap::new());
static EARLIER: Condvar = Condvar::new();

/// Starts the thread, if it is not running.
///
/// # Errors
/// [`ErrorKind::Io`] if the system cannot create a thread.
pub(crate) fn start() -> Result<()> {
    static STARTED: Mutex<bool> = Mutex::new(false);
    let mut started = STARTED.lock().unwrap_or_else(PoisonError::into_inner);
    if !*started {
        let thread = std::thread::Builder::new().name("wrun watchdog".to_owned());
        thread
            .spawn(run)
            .map_err(|error| Error::new(ErrorKind::Io, format!("cannot start the watchdog thread: {error}")))?;
        *started = true;
    }
    Ok(())
}

fn lock() -> MutexGuard<'static, Schedule> {
    SCHEDULE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Schedules a wakeup.
pub(crate) fn schedule<W: Watched + 'static>(watched: &Weak<W>, at: Instant) {
    let mut schedule = lock();
    let is_earliest = schedule.keys().next().is_none_or(|(earliest, _)| at < *earliest);
    schedule.insert((at, watched.as_ptr().addr()), Weak::<W>::clone(watched));
    if is_earliest {
        EARLIER.notify_one();
    }
}

/// Cancels the wakeup that is scheduled at `at`.
pub(crate) fn cancel<W: Watched>(watched: &Weak<W>, at: Instant) {
    lock().remove(&(at, watched.as_ptr().addr()));
}

fn run() {
    let mut schedule = lock();
    loop {
        let now = Instant::now();
        schedule = match schedule.first_entry() {
            None => EARLIER.wait(schedule).unwrap_or_else(PoisonError::into_inner),
            Some(next) if next.key().0 > now => {
                let left = next.key().0 - now;
                EARLIER.wait_timeout(schedule, left).unwrap_or_else(PoisonError::into_inner).0
            }
            Some(due) => {
                let ((at, _), watched) = due.remove_entry();
                // `wake` takes the lock of the watched object, under which other threads take the lock of the schedule.
                drop(schedule);
                if let Some(watched) = watched.upgrade() {
                    watched.wake(at, now);
                }
                lock()
            }
        };
    }
}
