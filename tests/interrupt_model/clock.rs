//! A virtual clock. Shuttle runs all threads of a model on one system thread, so the clock is a thread local.

use std::cell::Cell;
use std::ops::{Add, Sub};
use std::time::Duration;

thread_local! {
    static NOW: Cell<Instant> = const { Cell::new(Instant(Duration::ZERO)) };
}

/// Replaces `std::time::Instant`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Instant(Duration);

impl Instant {
    pub(crate) fn now() -> Self {
        NOW.get()
    }

    pub(crate) fn checked_add(self, time: Duration) -> Option<Self> {
        Some(Self(self.0.checked_add(time)?))
    }

    pub(crate) fn elapsed(self) -> Duration {
        Self::now() - self
    }

    pub(crate) fn saturating_duration_since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, time: Duration) -> Self {
        Self(self.0 + time)
    }
}

impl Sub for Instant {
    type Output = Duration;

    fn sub(self, earlier: Self) -> Duration {
        self.0.checked_sub(earlier.0).expect("the clock does not run backwards")
    }
}

pub(crate) fn reset() {
    NOW.set(Instant(Duration::ZERO));
}

/// Lets time pass.
pub(crate) fn advance(time: Duration) {
    advance_to(Instant::now() + time);
}

/// Lets time pass until `time`.
pub(crate) fn advance_to(time: Instant) {
    NOW.set(Instant::now().max(time));
}
