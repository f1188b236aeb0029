//! What other threads order a running guest to do: stop, pause, go on; and the time it has.
//!
//! One lock for each instance. A guest looks at [`Reins::check`] where its engine lets it: at each host call, and on
//! Wasmtime also wherever an epoch ends. Between those, a [`Brake`] makes the engine's code come to such a place.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use crate::error::{Error, ErrorKind, Result};
use crate::limits::{LimitExceeded, LimitKind};
use crate::runtime::life::Life;
use crate::runtime::watchdog;

/// How often a guest that does not heed an order is reminded. On Wasmtime an epoch can end between its look at the orders
/// and its next deadline, and the order with it.
const AGAIN: Duration = Duration::from_millis(1);

/// Makes guest code that runs come to a check soon. Pressed under the lock of the reins, by any thread.
pub(crate) trait Brake: fmt::Debug + Send {
    /// Presses it once; what it does may be lost.
    fn press(&self);

    /// Whether guest code that comes to a check can go on from there, as a pause needs; else it can only be stopped.
    fn can_go_on(&self) -> bool;

    /// Whether a guest that is paused is paused as a whole; one with threads is not.
    fn can_pause(&self) -> bool {
        true
    }
}

/// Why a call was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Somebody said so.
    Interrupted,
    /// Its time was up: what it was given, and what it had taken.
    TimedOut(Duration, Duration),
    /// Its runtime shuts down.
    ShutDown,
}

impl Stop {
    /// The failure of the call.
    pub(crate) fn into_error(self) -> Error {
        match self {
            Self::Interrupted => Error::new(ErrorKind::Interrupted, "the guest was interrupted"),
            Self::ShutDown => Error::new(ErrorKind::ShutDown, "the guest was stopped, since its runtime shuts down"),
            Self::TimedOut(limit, taken) => {
                let nanoseconds = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
                Error::timeout(LimitExceeded::new(LimitKind::Time, nanoseconds(limit), nanoseconds(taken)))
            }
        }
    }
}

/// How a host function is left when the guest that called it is to stop.
impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("stopped")
    }
}

impl std::error::Error for Stop {}

/// The orders of one instance.
#[derive(Debug)]
pub(crate) struct Reins {
    me: Weak<Life>,
    /// Whether there is an order to look at.
    attention: AtomicBool,
    orders: Mutex<Orders>,
    changed: Condvar,
}

#[derive(Debug)]
struct Orders {
    running: bool,
    held: bool,
    pause: bool,
    stop: Option<Stop>,
    time: Option<Time>,
    /// When the watchdog looks next, where it does.
    watched: Option<Instant>,
    brake: Option<Box<dyn Brake>>,
}

/// The time of a guest: what it was given, what is left, and when the running call has used it up. It stands still
/// while the guest is held.
#[derive(Debug)]
struct Time {
    limit: Duration,
    left: Duration,
    deadline: Option<Instant>,
}

impl Reins {
    pub(crate) fn new(me: Weak<Life>, limit: Option<Duration>) -> Self {
        let time = limit.map(|limit| Time { limit, left: limit, deadline: None });
        let orders = Orders { running: false, held: false, pause: false, stop: None, time, watched: None, brake: None };
        Self { me, attention: AtomicBool::new(false), orders: Mutex::new(orders), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Orders> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the guest a brake.
    pub(crate) fn set_brake(&self, brake: Box<dyn Brake>) {
        self.lock().brake = Some(brake);
    }

    /// Lets go of a guest that is being dropped: its brake is not pressed any more, since what it points to may be gone
    /// after that, and nobody watches over it.
    pub(crate) fn let_go(&self) {
        let mut orders = self.lock();
        orders.brake = None;
        self.unwatch(&mut orders);
    }

    /// Gives the guest this much time from now on.
    pub(crate) fn set_time(&self, limit: Duration) {
        self.lock().time = Some(Time { limit, left: limit, deadline: None });
    }

    /// Lets a call in, which has to [`Reins::check`] before it runs anything.
    pub(crate) fn enter(&self, life: &Life) -> Result<()> {
        let mut orders = self.lock();
        life.admit()?;
        if let Some(Time { limit, left: Duration::ZERO, .. }) = orders.time {
            return Err(Stop::TimedOut(limit, limit).into_error());
        }
        orders.running = true;
        orders.stop = None;
        life.set_running(false);
        if let Some(time) = &mut orders.time {
            // A deadline past what the clock can tell is none.
            time.deadline = Instant::now().checked_add(time.left);
        }
        self.watch(&mut orders);
        Ok(())
    }

    /// Ends the call: `end` is told whether it was to stop, and sets the state; no order comes in between.
    pub(crate) fn leave<T>(&self, end: impl FnOnce(Option<Stop>) -> T) -> T {
        let mut orders = self.lock();
        orders.running = false;
        // A host function may have left somebody waiting for the end of a pause.
        if std::mem::take(&mut orders.held) {
            self.changed.notify_all();
        }
        if let Some(time) = &mut orders.time
            && let Some(deadline) = time.deadline.take()
        {
            time.left = deadline.saturating_duration_since(Instant::now());
        }
        self.attention.store(orders.pause, Ordering::Relaxed);
        let stop = orders.stop.take();
        end(stop)
    }

    /// Where a running guest heeds its orders: waits while it is paused, and fails where it is to stop.
    #[inline]
    pub(crate) fn check(&self) -> Result<(), Stop> {
        if self.attention.load(Ordering::Relaxed) { self.heed() } else { Ok(()) }
    }

    #[cold]
    fn heed(&self) -> Result<(), Stop> {
        let Some(life) = self.me.upgrade() else { return Err(Stop::Interrupted) };
        let mut orders = self.lock();
        let arrived = Instant::now();
        while orders.running && orders.pause && orders.stop.is_none() {
            orders.held = true;
            life.set_running(true);
            self.changed.notify_all();
            orders = self.changed.wait(orders).unwrap_or_else(PoisonError::into_inner);
        }
        if std::mem::take(&mut orders.held) {
            life.set_running(false);
            if let Some(time) = &mut orders.time {
                time.deadline = time.deadline.and_then(|deadline| deadline.checked_add(arrived.elapsed()));
            }
            self.watch(&mut orders);
        }
        orders.stop.map_or(Ok(()), Err)
    }

    /// Orders the running call to stop; whether there is one.
    pub(crate) fn order(&self, stop: Stop) -> bool {
        let mut orders = self.lock();
        if orders.running {
            self.stop(&mut orders, stop);
            self.watch(&mut orders);
        }
        self.changed.notify_all();
        orders.running
    }

    /// Whether the guest can be paused.
    pub(crate) fn can_pause(&self) -> bool {
        self.lock().brake.as_ref().is_none_or(|brake| brake.can_pause())
    }

    /// Orders the guest to pause, or to go on.
    pub(crate) fn pause(&self, pause: bool) {
        let mut orders = self.lock();
        orders.pause = pause;
        self.attention.store(pause || orders.stop.is_some(), Ordering::Release);
        self.changed.notify_all();
        if pause && orders.running {
            orders.remind();
            self.watch(&mut orders);
        }
    }

    /// Whether the call that runs was told to stop.
    pub(crate) fn is_stopping(&self) -> bool {
        self.attention.load(Ordering::Acquire) && self.lock().stop.is_some()
    }

    /// The watchdog's look that was due at `due_at`: orders what is due.
    pub(crate) fn look(&self, due_at: Instant, now: Instant) {
        let mut orders = self.lock();
        // Where there is another look to come already, it was asked for in the meantime.
        orders.watched = orders.watched.filter(|watched| *watched != due_at);
        let due = orders.time.as_ref().and_then(|time| Some((time.deadline?, time.limit)));
        match due {
            Some((deadline, limit)) if deadline <= now && orders.running && !orders.held && orders.stop.is_none() => {
                self.stop(&mut orders, Stop::TimedOut(limit, limit + (now - deadline)));
                self.changed.notify_all();
            }
            _ => orders.remind(),
        }
        self.watch(&mut orders);
    }

    fn stop(&self, orders: &mut Orders, stop: Stop) {
        orders.stop.get_or_insert(stop);
        self.attention.store(true, Ordering::Release);
        orders.remind();
    }

    /// Has the watchdog look when it is due, unless it does sooner anyway.
    fn watch(&self, orders: &mut Orders) {
        let Some(next) = orders.next_look() else { return };
        if orders.watched.is_none_or(|watched| next < watched) {
            self.unwatch(orders);
            orders.watched = Some(next);
            watchdog::watch(&self.me, next);
        }
    }

    fn unwatch(&self, orders: &mut Orders) {
        if let Some(watched) = orders.watched.take() {
            watchdog::unwatch(&self.me, watched);
        }
    }
}

impl Orders {
    /// Presses the brake where there is an order the guest has not heeded yet.
    fn remind(&self) {
        if let Some(brake) = self.brake.as_deref().filter(|brake| self.is_unheeded(*brake)) {
            brake.press();
        }
    }

    fn is_unheeded(&self, brake: &dyn Brake) -> bool {
        self.running && !self.held && (self.stop.is_some() || (self.pause && brake.can_go_on()))
    }

    /// When the guest is to be looked at next, if at all.
    fn next_look(&self) -> Option<Instant> {
        if !self.running || self.held {
            return None;
        }
        let again = self.brake.as_deref().is_some_and(|brake| self.is_unheeded(brake)).then(|| Instant::now() + AGAIN);
        let deadline = self.time.as_ref().and_then(|time| time.deadline).filter(|_| self.stop.is_none());
        again.into_iter().chain(deadline).min()
    }
}
