//! The status of one instance: state, counters and memory. The same for every engine.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::error::{Error, ErrorKind, Result};
use crate::limits::{LimitExceeded, LimitKind, Limits};
use crate::runtime::interrupt::{InterruptState, StopReason};
use crate::runtime::memory_budget::MemoryBudget;
use crate::runtime::plugin::Plugin;
use crate::sync::{AtomicBool, AtomicI32, AtomicU8, AtomicU64, Instant, Ordering};

/// Whether an instance takes calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InstanceState {
    /// The instance takes calls.
    Ready,
    /// A call is running.
    Running,
    /// A call is paused by [`Control::pause`](crate::Control::pause) until the instance is resumed.
    Paused,
    /// The guest exited with this code. The instance accepts no calls.
    Exited(i32),
    /// A call trapped, ran out of fuel or was stopped. The guest's memory may be half-written. See
    /// [`WasmInstance::recover`](crate::WasmInstance::recover).
    Crashed,
}

// Values of `InstanceStatus::state`. Whether a running call is paused is part of [`InterruptState`].
const READY: u8 = 0;
const RUNNING: u8 = 1;
const CRASHED: u8 = 2;
const EXITED: u8 = 3;

/// The state and counters of one instance. Any thread may read them. Only the thread that owns the instance writes them, so counters
/// are plain loads and stores, except the budgets of memory and tables, which threads of the guest share. Other threads make their
/// requests through [`InstanceStatus::close`] and [`InterruptState`].
#[derive(Debug)]
pub(crate) struct InstanceStatus {
    state: AtomicU8,
    closed: AtomicBool,
    /// Whether an interrupt may have corrupted the engine's fuel counter.
    fuel_unknown: AtomicBool,
    exit_code: AtomicI32,
    calls: AtomicU64,
    traps: AtomicU64,
    stopped: AtomicU64,
    fuel: AtomicU64,
    memory: MemoryBudget,
    table_elements: u64,
    /// The number of table elements that was denied last during the current call, or 0.
    denied_elements: AtomicU64,
    /// Whether the engine can end a wait on shared memory.
    ends_waits: AtomicBool,
    /// Whether the instance was created completely.
    created: AtomicBool,
    interrupt: Option<Arc<InterruptState>>,
    /// The host's part of the instance, if it is an Extism plug-in.
    plugin: OnceLock<Arc<dyn Plugin>>,
}

impl InstanceStatus {
    /// Creates the status of an instance. `shared_bytes` is the maximum size of its shared memories, which count in full from
    /// the start.
    #[inline]
    pub(crate) fn new(limits: Limits, shared_bytes: u64, interrupt: Option<Arc<InterruptState>>) -> Self {
        Self {
            state: AtomicU8::new(READY),
            closed: AtomicBool::new(false),
            fuel_unknown: AtomicBool::new(false),
            exit_code: AtomicI32::new(0),
            calls: AtomicU64::new(0),
            traps: AtomicU64::new(0),
            stopped: AtomicU64::new(0),
            fuel: AtomicU64::new(0),
            memory: MemoryBudget::new(limits.memory, shared_bytes),
            table_elements: limits.table_elements.unwrap_or(u64::MAX),
            denied_elements: AtomicU64::new(0),
            ends_waits: AtomicBool::new(false),
            created: AtomicBool::new(false),
            interrupt,
            plugin: OnceLock::new(),
        }
    }

    pub(crate) fn set_created(&self) {
        self.created.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_created(&self) -> bool {
        self.created.load(Ordering::Relaxed)
    }

    #[cfg_attr(not(feature = "wasix"), expect(dead_code, reason = "only WASIX ends waits"))]
    pub(crate) fn set_ends_waits(&self) {
        self.ends_waits.store(true, Ordering::Relaxed);
    }

    /// Returns whether the engine can end a wait on shared memory.
    pub(crate) fn ends_waits(&self) -> bool {
        self.ends_waits.load(Ordering::Relaxed)
    }

    pub(crate) fn memory(&self) -> &MemoryBudget {
        &self.memory
    }

    /// Sets the host's part of a plug-in, once.
    pub(crate) fn set_plugin(&self, plugin: Option<&Arc<dyn Plugin>>) {
        if let Some(plugin) = plugin {
            self.plugin.get_or_init(|| Arc::clone(plugin));
        }
    }

    pub(crate) fn plugin(&self) -> Option<&Arc<dyn Plugin>> {
        self.plugin.get()
    }

    pub(crate) fn interrupt(&self) -> Option<&InterruptState> {
        self.interrupt.as_deref()
    }

    pub(crate) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    pub(crate) fn traps(&self) -> u64 {
        self.traps.load(Ordering::Relaxed)
    }

    /// Returns the number of calls that were stopped from outside.
    pub(crate) fn stopped(&self) -> u64 {
        self.stopped.load(Ordering::Relaxed)
    }

    /// Returns the portable fuel used since the instance was created. Not affected by a fuel reset.
    pub(crate) fn fuel(&self) -> u64 {
        self.fuel.load(Ordering::Relaxed)
    }

    pub(crate) fn count_fuel(&self, units: u64) {
        self.fuel.store(self.fuel().saturating_add(units), Ordering::Relaxed);
    }

    pub(crate) fn state(&self) -> InstanceState {
        match self.state.load(Ordering::Acquire) {
            READY => InstanceState::Ready,
            RUNNING if self.interrupt().is_some_and(InterruptState::is_paused) => InstanceState::Paused,
            RUNNING => InstanceState::Running,
            EXITED => InstanceState::Exited(self.exit_code.load(Ordering::Relaxed)),
            _ => InstanceState::Crashed,
        }
    }

    /// Makes a crashed instance ready. Returns whether it had crashed.
    pub(crate) fn recover(&self) -> bool {
        self.state.compare_exchange(CRASHED, READY, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    /// Returns whether an interrupt may have corrupted the engine's fuel counter.
    pub(crate) fn is_fuel_unknown(&self) -> bool {
        self.fuel_unknown.load(Ordering::Relaxed) || self.interrupt().is_some_and(InterruptState::is_stopping)
    }

    /// Returns whether a stop of an earlier call may have corrupted the engine's fuel counter, and forgets it: the caller sets the
    /// counter then.
    pub(crate) fn take_fuel_unknown(&self) -> bool {
        self.fuel_unknown.swap(false, Ordering::Relaxed)
    }

    /// Refuses all further calls, and stops the running call if the instance is interruptible.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        if let Some(interrupt) = &self.interrupt {
            interrupt.request_stop(StopReason::ShutDown);
        }
    }

    /// Waits until no call is running, at most until `deadline`. Returns whether that is so. Polls, because a notification
    /// would slow down every call.
    pub(crate) fn wait_until_idle(&self, deadline: Option<Instant>) -> bool {
        while self.state.load(Ordering::Acquire) == RUNNING {
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return false;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        true
    }

    /// Runs a call into the guest: counts it and updates the state.
    #[inline]
    pub(crate) fn run<T>(&self, call: impl FnOnce() -> Result<T>) -> Result<T> {
        match self.begin() {
            Some(active) => active.end(call()),
            None => self.run_interruptible(|| {
                self.count_call();
                call()
            }),
        }
    }

    /// Fast path for instances that cannot be interrupted. The caller ends the call with [`ActiveCall::end`]. Returns `None`
    /// if the caller must use [`InstanceStatus::run`], which may refuse the call.
    #[inline]
    pub(crate) fn begin(&self) -> Option<ActiveCall<'_>> {
        let is_ready = self.state.load(Ordering::Relaxed) == READY && !self.closed.load(Ordering::Relaxed);
        if !is_ready || self.interrupt.is_some() {
            return None;
        }
        self.state.store(RUNNING, Ordering::Release);
        self.count_call();
        Some(ActiveCall { status: self, after: CRASHED })
    }

    /// Runs the start function. Like a call, but not counted.
    pub(crate) fn start<T>(&self, start: impl FnOnce() -> Result<T>) -> Result<T> {
        if self.interrupt.is_some() || self.closed.load(Ordering::Relaxed) {
            return self.run_interruptible(start);
        }
        self.state.store(RUNNING, Ordering::Release);
        ActiveCall { status: self, after: CRASHED }.end(start())
    }

    fn run_interruptible<T>(&self, call: impl FnOnce() -> Result<T>) -> Result<T> {
        let Some(interrupt) = &self.interrupt else { return Err(self.refusal()) };
        interrupt.enter(|timed_out| {
            if self.state.load(Ordering::Relaxed) != READY || self.closed.load(Ordering::SeqCst) {
                return Err(self.refusal());
            }
            timed_out.map_or(Ok(()), |reason| Err(reason.into_error()))?;
            self.state.store(RUNNING, Ordering::Release);
            Ok(())
        })?;
        let on_panic = LeaveOnPanic { status: self, interrupt };
        let result = match interrupt.check() {
            Ok(()) => call(),
            Err(reason) => Err(reason.into_error()),
        };
        std::mem::forget(on_panic);
        interrupt.leave(|stop| self.end(result, stop))
    }

    /// Ends an interruptible call. A trap or an exit of the guest takes precedence over a request to stop; any other result
    /// does not.
    fn end<T>(&self, result: Result<T>, stop: Option<StopReason>) -> Result<T> {
        let set_state = |state: u8| self.state.store(state, Ordering::Release);
        let Some(stop) = stop else {
            return match result {
                Ok(value) => {
                    set_state(READY);
                    Ok(value)
                }
                Err(error) => {
                    set_state(self.after_failure(&error));
                    Err(self.explain(error))
                }
            };
        };
        self.fuel_unknown.store(true, Ordering::Relaxed);
        match result {
            Err(error) if matches!(error.kind(), ErrorKind::Trap | ErrorKind::Exited) => {
                set_state(self.after_failure(&error));
                Err(self.explain(error))
            }
            other => {
                // Counted first, so that a thread that sees the new state sees the count.
                self.stopped.store(self.stopped() + 1, Ordering::Relaxed);
                set_state(CRASHED);
                Err(other.err().iter().fold(stop.into_error(), Error::with_backtrace_of))
            }
        }
    }

    /// Counts calls in addition to the one that [`InstanceStatus::run`] counts.
    pub(crate) fn count_calls(&self, calls: u64) {
        self.calls.store(self.calls() + calls, Ordering::Relaxed);
    }

    #[inline]
    fn count_call(&self) {
        self.calls.store(self.calls() + 1, Ordering::Relaxed);
        self.memory.forget_denied();
        self.denied_elements.store(0, Ordering::Relaxed);
    }

    /// Counts a failed call and returns the next state.
    #[cold]
    fn after_failure(&self, error: &Error) -> u8 {
        match error.kind() {
            ErrorKind::Trap => {
                self.traps.store(self.traps() + 1, Ordering::Relaxed);
                CRASHED
            }
            ErrorKind::Exited => {
                self.exit_code.store(error.exit_code().unwrap_or(0), Ordering::Relaxed);
                EXITED
            }
            // The guest did not run.
            ErrorKind::InvalidArgument | ErrorKind::UnsupportedFeature | ErrorKind::Limit | ErrorKind::Crashed => READY,
            _ => CRASHED,
        }
    }

    /// Returns whether the limit allows this number of table elements. Remembers a denied number until the next call.
    pub(crate) fn admits_elements(&self, elements: u64) -> bool {
        let admitted = elements <= self.table_elements;
        if !admitted {
            self.denied_elements.store(elements, Ordering::Relaxed);
        }
        admitted
    }

    /// Returns the limit that denied growth during the call.
    pub(crate) fn denied(&self) -> Option<LimitExceeded> {
        let elements = match self.denied_elements.load(Ordering::Relaxed) {
            0 => None,
            attempted => Some(LimitExceeded::new(LimitKind::TableElements, self.table_elements, attempted)),
        };
        self.memory.denied().or(elements)
    }

    /// Adds the limit that denied growth during the call to a trap, because it may be the cause.
    pub(crate) fn explain(&self, error: Error) -> Error {
        match self.denied() {
            Some(denied) if error.kind() == ErrorKind::Trap => error.with_limit(denied),
            _ => error,
        }
    }

    /// See [`InterruptState::check`].
    #[inline]
    pub(crate) fn check_interrupt(&self) -> Result<(), StopReason> {
        self.interrupt().map_or(Ok(()), InterruptState::check)
    }

    /// The error for a call that the state does not allow.
    #[cold]
    fn refusal(&self) -> Error {
        if self.closed.load(Ordering::SeqCst) {
            return Error::new(ErrorKind::ShutDown, "the instance was shut down and takes no further calls");
        }
        if self.state.load(Ordering::Acquire) == EXITED {
            let code = self.exit_code.load(Ordering::Relaxed);
            let message = format!("the guest exited with code {code} earlier, so its instance takes no further calls");
            return Error::new(ErrorKind::Crashed, message);
        }
        let message = "the instance takes no further calls: it trapped, ran out of fuel or was stopped earlier";
        Error::new(ErrorKind::Crashed, message).with_hint("create a new instance, or call `recover` first")
    }
}

/// A running call. Sets the next state when it ends, or when a host function panics.
pub(crate) struct ActiveCall<'s> {
    status: &'s InstanceStatus,
    after: u8,
}

impl ActiveCall<'_> {
    /// Ends the call with its result.
    #[inline]
    pub(crate) fn end<T>(mut self, result: Result<T>) -> Result<T> {
        match result {
            Ok(value) => {
                self.after = READY;
                Ok(value)
            }
            Err(error) => {
                self.after = self.status.after_failure(&error);
                Err(self.status.explain(error))
            }
        }
    }
}

impl Drop for ActiveCall<'_> {
    #[inline]
    fn drop(&mut self) {
        self.status.state.store(self.after, Ordering::Release);
    }
}

/// Ends an interruptible call when a host function panics.
struct LeaveOnPanic<'s> {
    status: &'s InstanceStatus,
    interrupt: &'s InterruptState,
}

impl Drop for LeaveOnPanic<'_> {
    fn drop(&mut self) {
        self.interrupt.leave(|stop| {
            self.status.fuel_unknown.store(stop.is_some(), Ordering::Relaxed);
            self.status.state.store(CRASHED, Ordering::Release);
        });
    }
}
