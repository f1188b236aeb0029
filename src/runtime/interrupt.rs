//! What other threads order a running guest to do: stop, pause, go on; and the time it has.
//!
//! One lock for each instance. A guest looks at [`InterruptState::check`] where its engine lets it: at each host call, and on
//! Wasmtime also wherever an epoch ends. Between those, a [`InterruptHandle`] makes the engine's code come to such a place.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use crate::error::{Error, ErrorKind, Result};
use crate::limits::{LimitExceeded, LimitKind};
use crate::runtime::status::InstanceStatus;
use crate::runtime::watchdog;

/// How often a guest that does not heed an order is reminded. On Wasmtime an epoch can end between its look at the orders
/// and its next deadline, and the order with it.
const AGAIN: Duration = Duration::from_millis(1);

/// Makes guest code that runs come to a check soon. Pressed under the lock of the reins, by any thread.
pub(crate) trait InterruptHandle: fmt::Debug + Send {
    /// Presses it once; what it does may be lost.
    fn request_check(&self);

    /// Whether guest code that comes to a check can go on from there, as a pause needs; else it can only be stopped.
    fn can_resume(&self) -> bool;

    /// Whether a guest that is paused is paused as a whole; one with threads is not.
    fn can_pause(&self) -> bool {
        true
    }
}

/// Why a call was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StopReason {
    /// Somebody said so.
    Interrupted,
    /// Its time was up: what it was given, and what it had taken.
    TimedOut(Duration, Duration),
    /// Its runtime shuts down.
    ShutDown,
}

impl StopReason {
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
impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("stopped")
    }
}

impl std::error::Error for StopReason {}

/// The orders of one instance.
#[derive(Debug)]
pub(crate) struct InterruptState {
    me: Weak<InstanceStatus>,
    /// Whether there is an order to look at.
    attention: AtomicBool,
    requests: Mutex<Requests>,
    changed: Condvar,
}

#[derive(Debug)]
struct Requests {
    running: bool,
    held: bool,
    pause: bool,
    stop: Option<StopReason>,
    time: Option<Time>,
    /// When the watchdog looks next, where it does.
    watched: Option<Instant>,
    handle: Option<Box<dyn InterruptHandle>>,
}

/// The time of a guest: what it was given, what is left, and when the running call has used it up. It stands still
/// while the guest is held.
#[derive(Debug)]
struct Time {
    limit: Duration,
    left: Duration,
    deadline: Option<Instant>,
}

impl InterruptState {
    pub(crate) fn new(me: Weak<InstanceStatus>, limit: Option<Duration>) -> Self {
        let time = limit.map(|limit| Time { limit, left: limit, deadline: None });
        let requests =
            Requests { running: false, held: false, pause: false, stop: None, time, watched: None, handle: None };
        Self { me, attention: AtomicBool::new(false), requests: Mutex::new(requests), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Requests> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the guest a brake.
    pub(crate) fn set_interrupt_handle(&self, handle: Box<dyn InterruptHandle>) {
        self.lock().handle = Some(handle);
    }

    /// Lets go of a guest that is being dropped: its brake is not pressed any more, since what it points to may be gone
    /// after that, and nobody watches over it.
    pub(crate) fn detach(&self) {
        let mut requests = self.lock();
        requests.handle = None;
        self.unwatch(&mut requests);
    }

    /// Gives the guest this much time from now on.
    pub(crate) fn set_time(&self, limit: Duration) {
        self.lock().time = Some(Time { limit, left: limit, deadline: None });
    }

    /// Lets a call in, which has to [`InterruptState::check`] before it runs anything.
    pub(crate) fn enter(&self, status: &InstanceStatus) -> Result<()> {
        let mut requests = self.lock();
        status.admit()?;
        if let Some(Time { limit, left: Duration::ZERO, .. }) = requests.time {
            return Err(StopReason::TimedOut(limit, limit).into_error());
        }
        requests.running = true;
        requests.stop = None;
        status.set_running(false);
        if let Some(time) = &mut requests.time {
            // A deadline past what the clock can tell is none.
            time.deadline = Instant::now().checked_add(time.left);
        }
        self.watch(&mut requests);
        Ok(())
    }

    /// Ends the call: `end` is told whether it was to stop, and sets the state; no order comes in between.
    pub(crate) fn leave<T>(&self, end: impl FnOnce(Option<StopReason>) -> T) -> T {
        let mut requests = self.lock();
        requests.running = false;
        // A host function may have left somebody waiting for the end of a pause.
        if std::mem::take(&mut requests.held) {
            self.changed.notify_all();
        }
        if let Some(time) = &mut requests.time
            && let Some(deadline) = time.deadline.take()
        {
            time.left = deadline.saturating_duration_since(Instant::now());
        }
        self.attention.store(requests.pause, Ordering::Relaxed);
        let stop = requests.stop.take();
        end(stop)
    }

    /// Where a running guest heeds its orders: waits while it is paused, and fails where it is to stop.
    #[inline]
    pub(crate) fn check(&self) -> Result<(), StopReason> {
        if self.attention.load(Ordering::Relaxed) { self.check_interrupt() } else { Ok(()) }
    }

    #[cold]
    fn check_interrupt(&self) -> Result<(), StopReason> {
        let Some(status) = self.me.upgrade() else { return Err(StopReason::Interrupted) };
        let mut requests = self.lock();
        let arrived = Instant::now();
        while requests.running && requests.pause && requests.stop.is_none() {
            requests.held = true;
            status.set_running(true);
            self.changed.notify_all();
            requests = self.changed.wait(requests).unwrap_or_else(PoisonError::into_inner);
        }
        if std::mem::take(&mut requests.held) {
            status.set_running(false);
            if let Some(time) = &mut requests.time {
                time.deadline = time.deadline.and_then(|deadline| deadline.checked_add(arrived.elapsed()));
            }
            self.watch(&mut requests);
        }
        requests.stop.map_or(Ok(()), Err)
    }

    /// Requests the running call to stop; whether there is one.
    pub(crate) fn request_stop(&self, stop: StopReason) -> bool {
        let mut requests = self.lock();
        if requests.running {
            self.stop(&mut requests, stop);
            self.watch(&mut requests);
        }
        self.changed.notify_all();
        requests.running
    }

    /// Whether the guest can be paused.
    pub(crate) fn can_pause(&self) -> bool {
        self.lock().handle.as_ref().is_none_or(|handle| handle.can_pause())
    }

    /// Requests the guest to pause, or to go on.
    pub(crate) fn pause(&self, pause: bool) {
        let mut requests = self.lock();
        requests.pause = pause;
        self.attention.store(pause || requests.stop.is_some(), Ordering::Release);
        self.changed.notify_all();
        if pause && requests.running {
            requests.signal_handle();
            self.watch(&mut requests);
        }
    }

    /// Whether the call that runs was told to stop.
    pub(crate) fn is_stopping(&self) -> bool {
        self.attention.load(Ordering::Acquire) && self.lock().stop.is_some()
    }

    /// The watchdog's look that was due at `due_at`: orders what is due.
    pub(crate) fn check_deadline(&self, due_at: Instant, now: Instant) {
        let mut requests = self.lock();
        // Where there is another look to come already, it was asked for in the meantime.
        requests.watched = requests.watched.filter(|watched| *watched != due_at);
        let due = requests.time.as_ref().and_then(|time| Some((time.deadline?, time.limit)));
        match due {
            Some((deadline, limit))
                if deadline <= now && requests.running && !requests.held && requests.stop.is_none() =>
            {
                self.stop(&mut requests, StopReason::TimedOut(limit, limit + (now - deadline)));
                self.changed.notify_all();
            }
            _ => requests.signal_handle(),
        }
        self.watch(&mut requests);
    }

    fn stop(&self, requests: &mut Requests, stop: StopReason) {
        requests.stop.get_or_insert(stop);
        self.attention.store(true, Ordering::Release);
        requests.signal_handle();
    }

    /// Has the watchdog look when it is due, unless it does sooner anyway.
    fn watch(&self, requests: &mut Requests) {
        let Some(next) = requests.next_check() else { return };
        if requests.watched.is_none_or(|watched| next < watched) {
            self.unwatch(requests);
            requests.watched = Some(next);
            watchdog::watch(&self.me, next);
        }
    }

    fn unwatch(&self, requests: &mut Requests) {
        if let Some(watched) = requests.watched.take() {
            watchdog::unwatch(&self.me, watched);
        }
    }
}

impl Requests {
    /// Presses the brake where there is an order the guest has not heeded yet.
    fn signal_handle(&self) {
        if let Some(handle) = self.handle.as_deref().filter(|handle| self.is_unanswered(*handle)) {
            handle.request_check();
        }
    }

    fn is_unanswered(&self, handle: &dyn InterruptHandle) -> bool {
        self.running && !self.held && (self.stop.is_some() || (self.pause && handle.can_resume()))
    }

    /// When the guest is to be looked at next, if at all.
    fn next_check(&self) -> Option<Instant> {
        if !self.running || self.held {
            return None;
        }
        let again =
            self.handle.as_deref().is_some_and(|handle| self.is_unanswered(handle)).then(|| Instant::now() + AGAIN);
        let deadline = self.time.as_ref().and_then(|time| time.deadline).filter(|_| self.stop.is_none());
        again.into_iter().chain(deadline).min()
    }
}
