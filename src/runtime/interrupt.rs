//! Interrupts a guest: requests from other threads to stop, pause and resume, and the time limit.
//!
//! A guest answers requests at a check ([`InterruptState::check`]): at each host call, and on Wasmtime also at the end of
//! an epoch. In between, an [`InterruptHandle`] makes guest code reach its next check. Each instance has one lock.

use std::fmt;
use std::sync::{Arc, PoisonError, Weak};
use std::time::Duration;

use crate::error::{Error, ErrorKind, Result};
use crate::limits::{LimitExceeded, LimitKind, nanoseconds};
use crate::runtime::watchdog::{self, Watched};
use crate::sync::{AtomicBool, Condvar, Instant, Mutex, MutexGuard, Ordering};

/// How often an unanswered request is repeated. On Wasmtime, a request can get lost: an epoch can end between the guest's
/// check and its next deadline.
const REPEAT: Duration = Duration::from_millis(1);

/// Makes running guest code reach its next check soon. Any thread may call it, under the lock of the instance.
pub(crate) trait InterruptHandle: fmt::Debug + Send {
    /// Requests a check. The request may get lost.
    fn request_check(&self);

    /// Returns whether the guest can resume after a requested check, as a pause needs. If not, it can only be stopped.
    fn can_resume(&self) -> bool;

    /// Returns whether a pause would hold the whole guest. It would not hold its threads.
    fn can_pause(&self) -> bool {
        true
    }

    /// Returns whether the guest runs on between calls: it has threads.
    fn runs_on(&self) -> bool {
        false
    }
}

/// Why a call was stopped. As an error, it unwinds the engine from a host function to the call.
#[derive(Clone, Copy, Debug, derive_more::Display, PartialEq, Eq)]
#[display("stopped")]
pub(crate) enum StopReason {
    /// [`Control::interrupt`](crate::Control::interrupt).
    Interrupted,
    /// The time limit, and the time used.
    TimedOut(Duration, Duration),
    /// The runtime shuts down.
    ShutDown,
}

impl StopReason {
    /// Returns the error of the stopped call.
    pub(crate) fn into_error(self) -> Error {
        match self {
            Self::Interrupted => Error::new(ErrorKind::Interrupted, "the guest was interrupted"),
            Self::ShutDown => Error::new(ErrorKind::ShutDown, "the guest was stopped because its runtime shuts down"),
            Self::TimedOut(limit, used) => {
                Error::limit(LimitExceeded::new(LimitKind::Time, nanoseconds(limit), nanoseconds(used)))
            }
        }
    }
}

impl std::error::Error for StopReason {}

/// The interrupt state of one instance.
#[derive(Debug)]
pub(crate) struct InterruptState {
    this: Weak<Self>,
    /// Whether a stop or a pause is requested. Lets a check without requests skip the lock.
    requested: AtomicBool,
    requests: Mutex<Requests>,
    changed: Condvar,
}

#[derive(Debug)]
struct Requests {
    running: bool,
    /// Since when the running call waits for the end of a pause.
    paused: Option<Instant>,
    pause: bool,
    stop: Option<StopReason>,
    time: Option<TimeBudget>,
    /// The scheduled wakeup of the watchdog.
    wakeup: Option<Instant>,
    handle: Option<Box<dyn InterruptHandle>>,
}

/// The time limit. Time passes between calls only if the guest runs on, and it does not pass while a call is paused.
#[derive(Debug)]
struct TimeBudget {
    limit: Duration,
    /// The time left when the running call began, or for the next call.
    left: Duration,
    /// When the running call exceeds the limit, or the guest that runs on after it. `None` if neither runs, or the clock does not
    /// reach that far.
    deadline: Option<Instant>,
}

impl TimeBudget {
    fn new(limit: Duration) -> Self {
        Self { limit, left: limit, deadline: None }
    }
}

impl InterruptState {
    pub(crate) fn new(time_limit: Option<Duration>) -> Arc<Self> {
        let time = time_limit.map(TimeBudget::new);
        let requests =
            Requests { running: false, paused: None, pause: false, stop: None, time, wakeup: None, handle: None };
        Arc::new_cyclic(|this| Self {
            this: Weak::clone(this),
            requested: AtomicBool::new(false),
            requests: Mutex::new(requests),
            changed: Condvar::new(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Requests> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_interrupt_handle(&self, handle: Box<dyn InterruptHandle>) {
        self.lock().handle = Some(handle);
    }

    /// Drops the handle and cancels the wakeup. Must be called before the data to which the handle refers is dropped.
    pub(crate) fn detach(&self) {
        let mut requests = self.lock();
        requests.handle = None;
        self.cancel_wakeup(&mut requests);
    }

    /// Sets the time that the guest may run from now on.
    pub(crate) fn set_time(&self, limit: Duration) {
        self.lock().time = Some(TimeBudget::new(limit));
    }

    /// Begins a call. `begin` runs under the lock and can refuse the call; it receives a reason if no time is left. The
    /// caller must [`InterruptState::check`] before it runs guest code.
    ///
    /// # Errors
    /// Those of `begin`.
    pub(crate) fn enter(&self, begin: impl FnOnce(Option<StopReason>) -> Result<()>) -> Result<()> {
        let mut requests = self.lock();
        begin(match requests.time {
            Some(TimeBudget { limit, left: Duration::ZERO, .. }) => Some(StopReason::TimedOut(limit, limit)),
            _ => None,
        })?;
        requests.running = true;
        let ran_on = requests.runs_on();
        if let Some(time) = &mut requests.time
            && !(ran_on && time.deadline.is_some())
        {
            time.deadline = Instant::now().checked_add(time.left);
        }
        self.schedule_wakeup(&mut requests);
        Ok(())
    }

    /// Ends a call. `end` runs under the lock, so no request comes in between; it receives a reason if the call was asked
    /// to stop.
    pub(crate) fn leave<T>(&self, end: impl FnOnce(Option<StopReason>) -> T) -> T {
        let mut requests = self.lock();
        requests.running = false;
        // A thread to which a host function lent its `InterruptToken` may still wait for the end of a pause.
        if requests.end_pause() {
            self.changed.notify_all();
        }
        let runs_on = requests.runs_on();
        if let Some(time) = &mut requests.time
            && let Some(deadline) = time.deadline
        {
            time.left = deadline.saturating_duration_since(Instant::now());
            time.deadline = time.deadline.filter(|_| runs_on);
        }
        self.schedule_wakeup(&mut requests);
        self.requested.store(requests.pause, Ordering::Relaxed);
        let stop = requests.stop.take();
        end(stop)
    }

    /// Answers requests: waits during a pause.
    ///
    /// # Errors
    /// The reason to stop, if there is one.
    #[inline]
    pub(crate) fn check(&self) -> Result<(), StopReason> {
        if self.requested.load(Ordering::Relaxed) { self.check_requests() } else { Ok(()) }
    }

    #[cold]
    fn check_requests(&self) -> Result<(), StopReason> {
        let mut requests = self.lock();
        while requests.running && requests.pause && requests.stop.is_none() {
            requests.paused.get_or_insert_with(Instant::now);
            requests = self.changed.wait(requests).unwrap_or_else(PoisonError::into_inner);
        }
        if requests.end_pause() {
            self.schedule_wakeup(&mut requests);
        }
        requests.stop.map_or(Ok(()), Err)
    }

    /// Returns whether the running call is paused.
    pub(crate) fn is_paused(&self) -> bool {
        self.lock().paused.is_some()
    }

    /// Returns whether the running call was asked to stop.
    pub(crate) fn is_stopping(&self) -> bool {
        self.requested.load(Ordering::Acquire) && self.lock().stop.is_some()
    }

    /// Returns whether the guest can be paused.
    pub(crate) fn can_pause(&self) -> bool {
        self.lock().handle.as_ref().is_none_or(|handle| handle.can_pause())
    }

    /// Asks the running call to stop. Returns whether a call is running.
    pub(crate) fn request_stop(&self, reason: StopReason) -> bool {
        let mut requests = self.lock();
        if requests.running {
            self.stop(&mut requests, reason);
            self.schedule_wakeup(&mut requests);
        }
        requests.running
    }

    /// Asks the guest to pause, or to resume. A pause also applies to later calls.
    pub(crate) fn request_pause(&self, pause: bool) {
        let mut requests = self.lock();
        requests.pause = pause;
        self.requested.store(pause || requests.stop.is_some(), Ordering::Release);
        self.changed.notify_all();
        if pause && requests.running {
            requests.request_check();
            self.schedule_wakeup(&mut requests);
        }
    }

    fn stop(&self, requests: &mut Requests, reason: StopReason) {
        requests.stop.get_or_insert(reason);
        self.requested.store(true, Ordering::Release);
        self.changed.notify_all();
        requests.request_check();
    }

    /// Schedules the next wakeup, unless an earlier one is scheduled.
    fn schedule_wakeup(&self, requests: &mut Requests) {
        let Some(next) = requests.next_wakeup() else { return };
        if requests.wakeup.is_none_or(|scheduled| next < scheduled) {
            self.cancel_wakeup(requests);
            requests.wakeup = Some(next);
            watchdog::schedule(&self.this, next);
        }
    }

    fn cancel_wakeup(&self, requests: &mut Requests) {
        if let Some(scheduled) = requests.wakeup.take() {
            watchdog::cancel(&self.this, scheduled);
        }
    }
}

impl Watched for InterruptState {
    /// Stops a call that exceeds its time limit, and repeats unanswered requests.
    fn wake(&self, scheduled: Instant, now: Instant) {
        let mut requests = self.lock();
        // Keeps a wakeup that was scheduled in the meantime.
        requests.wakeup = requests.wakeup.filter(|wakeup| *wakeup != scheduled);
        if !requests.running {
            requests.end_between_calls(now);
        }
        let limit = requests.time.as_ref().and_then(|time| Some((time.deadline?, time.limit)));
        match limit {
            Some((deadline, limit))
                if deadline <= now && requests.running && requests.paused.is_none() && requests.stop.is_none() =>
            {
                self.stop(&mut requests, StopReason::TimedOut(limit, limit + (now - deadline)));
            }
            _ => requests.request_check(),
        }
        self.schedule_wakeup(&mut requests);
    }
}

impl Requests {
    /// Ends the pause of a call and moves its deadline. Returns whether it was paused.
    fn end_pause(&mut self) -> bool {
        let Some(since) = self.paused.take() else { return false };
        if let Some(time) = &mut self.time {
            time.deadline = time.deadline.and_then(|deadline| deadline.checked_add(since.elapsed()));
        }
        true
    }

    /// Returns whether the guest runs on between calls.
    fn runs_on(&self) -> bool {
        self.handle.as_ref().is_some_and(|handle| handle.runs_on())
    }

    /// Stops a guest that runs on after its call and exceeds the time limit.
    fn end_between_calls(&mut self, now: Instant) {
        let runs_on = self.runs_on();
        let Some(time) = &mut self.time else { return };
        if time.deadline.is_none_or(|deadline| deadline > now) {
            return;
        }
        time.deadline = None;
        if let (true, Some(handle)) = (runs_on, &self.handle) {
            time.left = Duration::ZERO;
            handle.request_check();
        }
    }

    /// Makes the guest check, if a request is unanswered.
    fn request_check(&self) {
        if let Some(handle) = self.handle.as_deref().filter(|handle| self.is_unanswered(*handle)) {
            handle.request_check();
        }
    }

    fn is_unanswered(&self, handle: &dyn InterruptHandle) -> bool {
        self.running && self.paused.is_none() && (self.stop.is_some() || (self.pause && handle.can_resume()))
    }

    /// Returns when the watchdog must look at the guest again.
    fn next_wakeup(&self) -> Option<Instant> {
        if self.paused.is_some() {
            return None;
        }
        let is_unanswered = self.handle.as_deref().is_some_and(|handle| self.is_unanswered(handle));
        let repeat = is_unanswered.then(|| Instant::now() + REPEAT);
        let deadline = self.time.as_ref().and_then(|time| time.deadline).filter(|_| self.stop.is_none());
        repeat.into_iter().chain(deadline).min()
    }
}
