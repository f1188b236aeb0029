//! The life of one instance: its state, its counts, its memory; shared by every engine.

use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use crate::error::{Error, ErrorKind, Result};
use crate::limits::{LimitExceeded, LimitKind, Limits};
use crate::runtime::interrupt::{InterruptState, StopReason};
use crate::runtime::memory_budget::MemoryBudget;

/// Whether an instance takes calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InstanceState {
    /// It takes calls.
    Ready,
    /// A call is in it.
    Running,
    /// A call is held by [`Control::pause`](crate::Control::pause) and goes no further until it is resumed.
    Paused,
    /// The guest ended itself, with this code; it takes no more calls.
    Exited(i32),
    /// A call trapped, ran out of fuel or was stopped; its memory may be half-written. See
    /// [`WasmInstance::recover`](crate::WasmInstance::recover).
    Crashed,
}

/// Ready, and nobody can order it about.
const READY: u8 = 0;
/// Ready, and holding [`InterruptState`].
const READY_INTERRUPTIBLE: u8 = 1;
const RUNNING: u8 = 2;
const PAUSED: u8 = 3;
const CRASHED: u8 = 4;
const EXITED: u8 = 5;

/// The state and counts of one instance. One thread writes (the one that holds the instance), any may read, so the
/// counters are plain loads and stores; what other threads order goes through its [`InterruptState`].
#[derive(Debug)]
pub(crate) struct InstanceStatus {
    id: u64,
    state: AtomicU8,
    closed: AtomicBool,
    /// Whether the brake of a crashed instance was pressed, so that what its engine counts in may hold anything.
    fuel_unknown: AtomicBool,
    exit_code: AtomicI32,
    calls: AtomicU64,
    traps: AtomicU64,
    stopped: AtomicU64,
    fuel: AtomicU64,
    memory: MemoryBudget,
    table_elements: u64,
    /// Table elements that were last asked for in vain; 0 is nothing.
    denied_elements: AtomicU64,
    /// Whether its engine can end a wait on shared memory.
    ends_waits: AtomicBool,
    /// Whether it was made, and not given up on the way.
    made: AtomicBool,
    interrupt: Option<Box<InterruptState>>,
}

impl InstanceStatus {
    /// The life of instance `id`, whose shared memories, counted at once, may reach `shared_bytes`. With reins it can be stopped
    /// and paused.
    #[inline]
    pub(crate) fn new(id: u64, limits: Limits, shared_bytes: u64, interrupt: Option<Box<InterruptState>>) -> Self {
        Self {
            id,
            state: AtomicU8::new(if interrupt.is_some() { READY_INTERRUPTIBLE } else { READY }),
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
            made: AtomicBool::new(false),
            interrupt,
        }
    }

    /// The same with reins, which know it for the watchdog.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] where the machine has no thread left to watch over it.
    #[inline(never)]
    pub(crate) fn interruptible(id: u64, limits: Limits, shared_bytes: u64) -> Result<Arc<Self>> {
        crate::runtime::watchdog::start()?;
        let interrupt = |me: &Weak<Self>| Box::new(InterruptState::new(Weak::clone(me), limits.time));
        Ok(Arc::new_cyclic(|me| Self::new(id, limits, shared_bytes, Some(interrupt(me)))))
    }

    /// Notes that the instance is made.
    pub(crate) fn set_made(&self) {
        self.made.store(true, Ordering::Relaxed);
    }

    /// Whether the instance was made.
    pub(crate) fn is_made(&self) -> bool {
        self.made.load(Ordering::Relaxed)
    }

    /// Notes that its engine can end a wait on shared memory.
    #[cfg_attr(not(feature = "wasix"), expect(dead_code, reason = "only WASIX can"))]
    pub(crate) fn set_ends_waits(&self) {
        self.ends_waits.store(true, Ordering::Relaxed);
    }

    /// Whether its engine can end a wait on shared memory.
    pub(crate) fn ends_waits(&self) -> bool {
        self.ends_waits.load(Ordering::Relaxed)
    }

    /// A number no other instance of the process has.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    pub(crate) fn memory(&self) -> &MemoryBudget {
        &self.memory
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

    /// Calls that were stopped from outside.
    pub(crate) fn stopped(&self) -> u64 {
        self.stopped.load(Ordering::Relaxed)
    }

    /// Portable fuel used since the instance was made, whatever its tank was reset to.
    pub(crate) fn fuel(&self) -> u64 {
        self.fuel.load(Ordering::Relaxed)
    }

    pub(crate) fn count_fuel(&self, units: u64) {
        self.fuel.store(self.fuel().saturating_add(units), Ordering::Relaxed);
    }

    pub(crate) fn state(&self) -> InstanceState {
        match self.state.load(Ordering::Acquire) {
            READY | READY_INTERRUPTIBLE => InstanceState::Ready,
            RUNNING => InstanceState::Running,
            PAUSED => InstanceState::Paused,
            EXITED => InstanceState::Exited(self.exit_code.load(Ordering::Relaxed)),
            _ => InstanceState::Crashed,
        }
    }

    /// Takes calls again; whether it had crashed.
    pub(crate) fn recover(&self) -> bool {
        let ready = if self.interrupt.is_some() { READY_INTERRUPTIBLE } else { READY };
        self.state.compare_exchange(CRASHED, ready, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    /// Whether what its engine counts in may hold anything, since its brake is being pressed or was.
    pub(crate) fn is_fuel_unknown(&self) -> bool {
        self.fuel_unknown.load(Ordering::Relaxed) || self.interrupt().is_some_and(InterruptState::is_stopping)
    }

    /// Whether what its engine counts in may hold anything: asked by whoever sets it anew.
    pub(crate) fn take_fuel_unknown(&self) -> bool {
        self.fuel_unknown.swap(false, Ordering::Relaxed)
    }

    /// Refuses all calls from now on; one that runs is stopped where it can be.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        if let Some(interrupt) = &self.interrupt {
            interrupt.request_stop(StopReason::ShutDown);
        }
    }

    /// Waits until no call is in it, at most until `deadline`; whether none is. The end of a call rings no bell, since
    /// that would cost each call.
    pub(crate) fn wait_until_idle(&self, deadline: Option<Instant>) -> bool {
        while matches!(self.state(), InstanceState::Running | InstanceState::Paused) {
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return false;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        true
    }

    /// Runs one call into the guest: counts it, and keeps the state true whatever comes of it.
    #[inline]
    pub(crate) fn run<T>(&self, call: impl FnOnce() -> Result<T>) -> Result<T> {
        match self.begin() {
            Some(running) => running.end(call()),
            None => self.run_interruptible(|| {
                self.count_call();
                call()
            }),
        }
    }

    /// Begins a call that nobody can order about, for a caller with no time to lose; it is to be ended by
    /// [`ActiveCall::end`]. `None` where it is not to begin, or not so: [`InstanceStatus::run`] knows why.
    #[inline]
    pub(crate) fn begin(&self) -> Option<ActiveCall<'_>> {
        if self.state.load(Ordering::Relaxed) != READY || self.closed.load(Ordering::Relaxed) {
            return None;
        }
        self.state.store(RUNNING, Ordering::Release);
        self.count_call();
        Some(ActiveCall { status: self, after: CRASHED })
    }

    /// Runs what belongs to making the instance, its start function above all: as a call, but counted as none.
    pub(crate) fn start<T>(&self, start: impl FnOnce() -> Result<T>) -> Result<T> {
        if self.interrupt.is_some() || self.closed.load(Ordering::Relaxed) {
            return self.run_interruptible(start);
        }
        self.state.store(RUNNING, Ordering::Release);
        ActiveCall { status: self, after: CRASHED }.end(start())
    }

    /// Runs one call that other threads can stop or hold.
    fn run_interruptible<T>(&self, call: impl FnOnce() -> Result<T>) -> Result<T> {
        let Some(interrupt) = &self.interrupt else { return Err(self.refused()) };
        interrupt.enter(self)?;
        let running = InterruptibleCall { status: self, interrupt };
        let result = match interrupt.check() {
            Ok(()) => call(),
            Err(stop) => Err(stop.into_error()),
        };
        std::mem::forget(running);
        interrupt.leave(|stop| self.end(result, stop))
    }

    /// What a call that may have been told to stop came to. A trap of the guest's own tells more than that it was to be
    /// stopped; whatever else it came to, no longer counts.
    fn end<T>(&self, result: Result<T>, stop: Option<StopReason>) -> Result<T> {
        let set = |state: u8| self.state.store(state, Ordering::Release);
        let own_trap = |error: &Error| matches!(error.kind(), ErrorKind::Trap | ErrorKind::Exited);
        match (result, stop) {
            (Ok(value), None) => {
                set(READY_INTERRUPTIBLE);
                Ok(value)
            }
            (Err(error), None) => {
                set(self.after_failure(&error, READY_INTERRUPTIBLE));
                Err(self.explain(error))
            }
            (Err(error), Some(_)) if own_trap(&error) => {
                self.fuel_unknown.store(true, Ordering::Relaxed);
                set(self.after_failure(&error, READY_INTERRUPTIBLE));
                Err(self.explain(error))
            }
            (other, Some(stop)) => {
                self.fuel_unknown.store(true, Ordering::Relaxed);
                self.stopped.store(self.stopped() + 1, Ordering::Relaxed);
                // Whoever sees that it has ended sees it counted.
                set(CRASHED);
                let backtrace = other.err().map(|error| error.backtrace().to_vec()).unwrap_or_default();
                Err(stop.into_error().with_backtrace(backtrace))
            }
        }
    }

    #[inline]
    fn count_call(&self) {
        self.calls.store(self.calls() + 1, Ordering::Relaxed);
        self.memory.forget_denied();
        self.denied_elements.store(0, Ordering::Relaxed);
    }

    #[cold]
    fn after_failure(&self, error: &Error, ready: u8) -> u8 {
        match error.kind() {
            ErrorKind::Trap => {
                self.traps.store(self.traps() + 1, Ordering::Relaxed);
                CRASHED
            }
            ErrorKind::Exited => {
                self.exit_code.store(error.exit_code().unwrap_or(0), Ordering::Relaxed);
                EXITED
            }
            // Nothing ran.
            ErrorKind::InvalidArgument | ErrorKind::UnsupportedFeature | ErrorKind::Limit | ErrorKind::Crashed => ready,
            _ => CRASHED,
        }
    }

    /// Whether a table may have this many elements; refusals are remembered.
    pub(crate) fn admits_elements(&self, elements: u64) -> bool {
        let admitted = elements <= self.table_elements;
        if !admitted {
            self.denied_elements.store(elements, Ordering::Relaxed);
        }
        admitted
    }

    /// A trap, with the limit that denied the guest growth before it: that may be why it trapped.
    pub(crate) fn explain(&self, error: Error) -> Error {
        let elements = match self.denied_elements.load(Ordering::Relaxed) {
            0 => None,
            attempted => Some(LimitExceeded::new(LimitKind::TableElements, self.table_elements, attempted)),
        };
        match self.memory.denied().or(elements) {
            Some(denied) if error.kind() == ErrorKind::Trap => error.after_denied_growth(denied),
            _ => error,
        }
    }

    /// Where a running guest heeds its orders: waits while it is paused, and fails where it is to stop.
    #[inline]
    pub(crate) fn check_interrupt(&self) -> Result<(), StopReason> {
        self.interrupt().map_or(Ok(()), InterruptState::check)
    }

    /// Whether a call may begin. Asked under the lock of the reins.
    pub(crate) fn admit(&self) -> Result<()> {
        let ready = self.state.load(Ordering::Relaxed) == READY_INTERRUPTIBLE && !self.closed.load(Ordering::SeqCst);
        if ready { Ok(()) } else { Err(self.refused()) }
    }

    /// A call runs, or is held. Set under the lock of the reins.
    pub(crate) fn set_running(&self, held: bool) {
        self.state.store(if held { PAUSED } else { RUNNING }, Ordering::Release);
    }

    #[cold]
    fn refused(&self) -> Error {
        if self.closed.load(Ordering::SeqCst) {
            return Error::new(ErrorKind::ShutDown, "the instance was shut down and takes no more calls");
        }
        if let InstanceState::Exited(code) = self.state() {
            let message = format!("the guest exited with {code} earlier, and its instance takes no more calls");
            return Error::new(ErrorKind::Crashed, message);
        }
        let message = "the instance trapped, ran out of fuel or was stopped earlier and takes no more calls";
        Error::new(ErrorKind::Crashed, message).with_hint("make a new instance, or call `recover` first")
    }
}

/// A call in progress: the state it leaves, also where a panic of a host function passes through it.
pub(crate) struct ActiveCall<'l> {
    status: &'l InstanceStatus,
    after: u8,
}

impl ActiveCall<'_> {
    /// Ends the call with what came of it.
    #[inline]
    pub(crate) fn end<T>(mut self, result: Result<T>) -> Result<T> {
        match result {
            Ok(value) => {
                self.after = READY;
                Ok(value)
            }
            Err(error) => {
                self.after = self.status.after_failure(&error, READY);
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

/// The same of a call that can be ordered about; dropped only where a panic passes through it.
struct InterruptibleCall<'l> {
    status: &'l InstanceStatus,
    interrupt: &'l InterruptState,
}

impl Drop for InterruptibleCall<'_> {
    fn drop(&mut self) {
        self.interrupt.leave(|stop| {
            self.status.fuel_unknown.store(stop.is_some(), Ordering::Relaxed);
            self.status.state.store(CRASHED, Ordering::Release);
        });
    }
}
