//! Guests of a model, and the threads around them.

use std::sync::Arc;
use std::time::Duration;

use shuttle::scheduler::{PctScheduler, RandomScheduler};
use shuttle::thread::{self, JoinHandle};
use shuttle::{Config, MaxSteps, Runner};
use wrun::{Error, ErrorKind, Limits};

use crate::clock;
use crate::runtime::interrupt::{InterruptHandle, InterruptState, StopReason};
use crate::runtime::status::{InstanceState, InstanceStatus};
use crate::runtime::watchdog;
use crate::sync::{AtomicBool, AtomicU64, Ordering};

/// The result of a call.
pub(crate) type CallResult = Result<(), Error>;

/// Runs a model in many interleavings: random ones, and ones with few context switches at random points.
pub(crate) fn check(model: impl Fn() + Copy + Send + Sync + 'static) {
    const EACH: usize = 1500;
    let model = move || {
        clock::reset();
        watchdog::reset();
        model();
    };
    let mut config = Config::new();
    config.max_steps = MaxSteps::FailAfter(20_000);
    Runner::new(RandomScheduler::new(EACH), config.clone()).run(model);
    Runner::new(PctScheduler::new(3, EACH), config).run(model);
}

/// An interruptible instance, shared by its own thread and others.
#[derive(Clone)]
pub(crate) struct Guest {
    pub(crate) status: Arc<InstanceStatus>,
    /// Ends the calls that run until it is set.
    pub(crate) done: Arc<AtomicBool>,
    /// Counts the rounds of all calls.
    pub(crate) rounds: Arc<AtomicU64>,
}

impl Guest {
    pub(crate) fn new(time_limit: Option<Duration>) -> Self {
        let interrupt = InterruptState::new(time_limit);
        let status = InstanceStatus::new(Limits::none(), 0, Some(interrupt));
        Self { status: Arc::new(status), done: Arc::new(AtomicBool::new(false)), rounds: Arc::new(AtomicU64::new(0)) }
    }

    pub(crate) fn interrupt(&self) -> &InterruptState {
        self.status.interrupt().expect("the instance is interruptible")
    }

    /// Runs a call with `count` host calls.
    pub(crate) fn poll(&self, count: u64) -> CallResult {
        self.status.run(|| (0..count).try_for_each(|_| self.host_call()))
    }

    /// Runs a call with host calls until `done` is set.
    pub(crate) fn poll_until_done(&self) -> CallResult {
        self.status.run(|| {
            while !self.done.load(Ordering::SeqCst) {
                self.host_call()?;
                thread::yield_now();
            }
            Ok(())
        })
    }

    fn host_call(&self) -> CallResult {
        self.rounds.fetch_add(1, Ordering::SeqCst);
        self.status.check_interrupt().map_err(StopReason::into_error)
    }

    /// Waits for a state.
    pub(crate) fn becomes(&self, state: InstanceState) {
        while self.status.state() != state {
            thread::yield_now();
        }
    }

    /// Stops the running call, once there is one.
    pub(crate) fn stop(&self) {
        while !self.interrupt().request_stop(StopReason::Interrupted) {
            thread::yield_now();
        }
    }

    /// Starts a thread that works on this guest.
    pub(crate) fn spawn<T: Send + 'static>(&self, work: impl FnOnce(Self) -> T + Send + 'static) -> JoinHandle<T> {
        let guest = self.clone();
        thread::spawn(move || work(guest))
    }
}

/// Starts a watchdog for the time that `work` takes. It lets time pass.
pub(crate) fn with_watchdog<T>(work: impl FnOnce() -> T) -> T {
    let ended = Arc::new(AtomicBool::new(false));
    let until = Arc::clone(&ended);
    let watchdog = thread::spawn(move || {
        while !until.load(Ordering::SeqCst) {
            watchdog::wake_next();
            thread::yield_now();
        }
    });
    let result = work();
    ended.store(true, Ordering::SeqCst);
    watchdog.join().expect("the watchdog ends");
    result
}

/// Interrupts as on Wasmer: guest code reads a flag, and ends if it is set.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flag {
    set: Arc<AtomicBool>,
    freed: Arc<AtomicBool>,
}

impl Flag {
    /// Runs a call without host calls that ends when the flag is set.
    pub(crate) fn spin(&self, guest: &Guest) -> CallResult {
        guest.status.run(|| {
            while !self.set.swap(false, Ordering::SeqCst) {
                thread::yield_now();
            }
            Err(Error::new(ErrorKind::Interrupted, "the flag was set"))
        })
    }

    /// Returns whether no handle refers to the flag.
    pub(crate) fn is_unshared(&self) -> bool {
        Arc::strong_count(&self.set) == 1
    }

    /// Frees the memory of the flag, as dropping the store does.
    pub(crate) fn free(&self) {
        self.freed.store(true, Ordering::SeqCst);
    }
}

impl InterruptHandle for Flag {
    fn request_check(&self) {
        assert!(!self.freed.load(Ordering::SeqCst), "a freed flag is set");
        self.set.store(true, Ordering::SeqCst);
    }

    fn can_resume(&self) -> bool {
        false
    }
}

/// Interrupts as on Wasmtime: guest code compares a counter with its deadline.
#[derive(Clone, Debug, Default)]
pub(crate) struct Epoch(Arc<AtomicU64>);

impl Epoch {
    /// Runs a call without host calls that checks when the counter reaches its deadline, until `done` is set.
    pub(crate) fn spin_until_done(&self, guest: &Guest) -> CallResult {
        let mut deadline = self.0.load(Ordering::SeqCst) + 1;
        guest.status.run(|| {
            while !guest.done.load(Ordering::SeqCst) {
                if self.0.load(Ordering::SeqCst) >= deadline {
                    guest.status.check_interrupt().map_err(StopReason::into_error)?;
                    // An epoch that ended since the check is missed.
                    deadline = self.0.load(Ordering::SeqCst) + 1;
                }
                guest.rounds.fetch_add(1, Ordering::SeqCst);
                thread::yield_now();
            }
            Ok(())
        })
    }
}

impl InterruptHandle for Epoch {
    fn request_check(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    fn can_resume(&self) -> bool {
        true
    }
}
