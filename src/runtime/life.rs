//! The life of one instance: its state, its counts, its memory; shared by every engine.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use crate::error::{Error, ErrorKind, Result};
use crate::limits::{LimitExceeded, LimitKind, Limits};
use crate::runtime::budget::MemoryBudget;
use crate::runtime::metrics::Ledger;

/// Whether an instance takes calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InstanceState {
    /// It takes calls.
    Ready,
    /// A call is in it.
    Running,
    /// A call trapped or ran out of fuel; its memory may be half-written. See
    /// [`WasmInstance::recover`](crate::WasmInstance::recover).
    Crashed,
}

const READY: u8 = 0;
const RUNNING: u8 = 1;
const CRASHED: u8 = 2;

/// The state and counts of one instance. One thread writes (the one that holds the instance), any may read, so the
/// counters are plain loads and stores.
#[derive(Debug)]
pub(crate) struct Life {
    id: u64,
    state: AtomicU8,
    calls: AtomicU64,
    traps: AtomicU64,
    memory: MemoryBudget,
    table_elements: u64,
    /// Table elements that were last asked for in vain; 0 is nothing.
    denied_elements: AtomicU64,
}

impl Life {
    /// The life of an instance whose shared memories, counted at once, may reach `shared_bytes`.
    pub(crate) fn new(limits: Limits, shared_bytes: u64) -> Arc<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Arc::new(Self {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            state: AtomicU8::new(READY),
            calls: AtomicU64::new(0),
            traps: AtomicU64::new(0),
            memory: MemoryBudget::new(limits.memory, shared_bytes),
            table_elements: limits.table_elements.unwrap_or(u64::MAX),
            denied_elements: AtomicU64::new(0),
        })
    }

    /// A number no other instance of the process has.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    pub(crate) fn memory(&self) -> &MemoryBudget {
        &self.memory
    }

    pub(crate) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    pub(crate) fn traps(&self) -> u64 {
        self.traps.load(Ordering::Relaxed)
    }

    pub(crate) fn state(&self) -> InstanceState {
        match self.state.load(Ordering::Acquire) {
            READY => InstanceState::Ready,
            RUNNING => InstanceState::Running,
            _ => InstanceState::Crashed,
        }
    }

    pub(crate) fn recover(&self) {
        self.state.store(READY, Ordering::Release);
    }

    /// Runs one call into the guest: counts it, and keeps the state true whatever comes of it.
    #[inline]
    pub(crate) fn run<T>(&self, call: impl FnOnce() -> Result<T>) -> Result<T> {
        if self.state.load(Ordering::Relaxed) != READY {
            return Err(refused());
        }
        self.state.store(RUNNING, Ordering::Release);
        self.calls.store(self.calls.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        self.memory.forget_denied();
        self.denied_elements.store(0, Ordering::Relaxed);
        let mut running = Running { state: &self.state, after: CRASHED };
        match call() {
            Ok(value) => {
                running.after = READY;
                Ok(value)
            }
            Err(error) => {
                running.after = self.after_failure(&error);
                Err(self.explain(error))
            }
        }
    }

    #[cold]
    fn after_failure(&self, error: &Error) -> u8 {
        match error.kind() {
            ErrorKind::Trap => {
                self.traps.store(self.traps.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
                CRASHED
            }
            ErrorKind::OutOfFuel => CRASHED,
            _ => READY,
        }
    }

    /// Whether a table may have this many elements; refusals are remembered.
    #[cfg_attr(not(feature = "wasmtime-runtime"), allow(dead_code, reason = "wasmer asks nobody before a table grows"))]
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
}

/// A call in progress: the state it leaves, also where a panic of a host function passes through it.
struct Running<'l> {
    state: &'l AtomicU8,
    after: u8,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.state.store(self.after, Ordering::Release);
    }
}

#[cold]
fn refused() -> Error {
    let message = "the instance trapped or ran out of fuel earlier and takes no more calls";
    Error::new(ErrorKind::Crashed, message).with_hint("make a new instance, or call `recover` first")
}

/// An instance's entry in its runtime's books, for as long as the instance lives.
#[derive(Debug)]
pub(crate) struct Enrolled {
    pub(crate) life: Arc<Life>,
    ledger: Arc<Ledger>,
}

impl Enrolled {
    pub(crate) fn new(life: Arc<Life>, ledger: &Arc<Ledger>) -> Self {
        ledger.enroll(&life);
        Self { life, ledger: Arc::clone(ledger) }
    }
}

impl Drop for Enrolled {
    fn drop(&mut self) {
        self.ledger.retire(&self.life);
    }
}
