//! Replaces `src/runtime/watchdog.rs`. A test decides when scheduled wakeups happen.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Weak;

use crate::clock::{self, Instant};

pub(crate) trait Watched: Send + Sync {
    fn wake(&self, scheduled: Instant, now: Instant);
}

type Schedule = BTreeMap<(Instant, usize), Weak<dyn Watched>>;

thread_local! {
    static SCHEDULE: RefCell<Schedule> = const { RefCell::new(BTreeMap::new()) };
}

pub(crate) fn schedule<W: Watched + 'static>(watched: &Weak<W>, at: Instant) {
    let key = (at, watched.as_ptr().addr());
    SCHEDULE.with_borrow_mut(|schedule| schedule.insert(key, Weak::<W>::clone(watched)));
}

pub(crate) fn cancel<W: Watched>(watched: &Weak<W>, at: Instant) {
    SCHEDULE.with_borrow_mut(|schedule| schedule.remove(&(at, watched.as_ptr().addr())));
}

pub(crate) fn reset() {
    SCHEDULE.with_borrow_mut(BTreeMap::clear);
}

/// Lets time pass until the next wakeup, if one is scheduled, and performs it.
pub(crate) fn wake_next() {
    if let Some(at) = SCHEDULE.with_borrow(|schedule| Some(schedule.first_key_value()?.0.0)) {
        clock::advance_to(at);
        wake_due();
    }
}

/// Performs the wakeups that are due, without letting time pass.
pub(crate) fn wake_due() {
    let now = Instant::now();
    let due = |schedule: &mut Schedule| {
        let next = schedule.first_entry().filter(|next| next.key().0 <= now)?;
        Some(next.remove_entry())
    };
    while let Some(((at, _), watched)) = SCHEDULE.with_borrow_mut(due) {
        if let Some(watched) = watched.upgrade() {
            watched.wake(at, now);
        }
    }
}
