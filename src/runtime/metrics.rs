//! What a runtime did, counted.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;
use slab::Slab;

use crate::error::{Error, ErrorKind, Result};
use crate::limits::Limits;
use crate::runtime::status::InstanceStatus;

/// Counts of one runtime since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RuntimeMetrics {
    /// Modules compiled.
    pub modules_compiled: u64,
    /// Modules whose code came from a cache, so that nothing was compiled.
    pub cache_hits: u64,
    /// Instances that live now.
    pub instances_alive: u64,
    /// Instances made so far.
    pub instances_created: u64,
    /// Bytes of linear memory in use now, all living instances together.
    pub memory_bytes: u64,
    /// The sum of the peaks of the living instances in bytes: no more than this was ever in use by them at once.
    pub memory_peak_bytes: u64,
    /// Calls into guests, living and gone.
    pub calls: u64,
    /// Calls that ended in a trap; start functions that did count too.
    pub traps: u64,
    /// Calls that were stopped: by their time, an interruption, a shutdown.
    pub stopped: u64,
    /// Portable fuel used, where it is metered; of calls that trapped or were stopped, what was used is not known.
    pub fuel_used: u64,
}

/// What came of [`WasmRuntime::shutdown`](crate::WasmRuntime::shutdown).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Shutdown {
    /// Calls that were running and were stopped.
    pub stopped: u64,
    /// Calls that still ran when the time was up: in a host function, or on a runtime made without interruption.
    pub running: u64,
    /// Instances that are still held by somebody; they take no more calls.
    pub instances_alive: u64,
}

/// The counters behind [`RuntimeMetrics`]; each backend's runtime owns one.
#[derive(Debug, Default)]
pub(crate) struct InstanceRegistry {
    modules_compiled: AtomicU64,
    cache_hits: AtomicU64,
    instances: Mutex<Instances>,
}

#[derive(Debug, Default)]
struct Instances {
    closed: bool,
    alive: Slab<Arc<InstanceStatus>>,
    unregistered: Counts,
    /// The life that was retired last, whose place the next one may take.
    gone: Option<Arc<InstanceStatus>>,
    /// Numbers for instances, which no other runtime gives out.
    ids: Range<u64>,
}

/// What lives count each for themselves.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    created: u64,
    calls: u64,
    traps: u64,
    stopped: u64,
    fuel: u64,
}

impl Counts {
    fn add(&mut self, status: &InstanceStatus) {
        self.created += u64::from(status.is_made());
        self.calls += status.calls();
        self.traps += status.traps();
        self.stopped += status.stopped();
        self.fuel = self.fuel.saturating_add(status.fuel());
    }
}

impl Instances {
    /// A number no other instance of the process has. Each runtime takes many at once, since a counter that all of them share
    /// is slow to count.
    fn next_id(&mut self) -> u64 {
        static TAKEN: AtomicU64 = AtomicU64::new(0);
        const MANY: u64 = 1 << 16;
        self.ids.next().unwrap_or_else(|| {
            let first = TAKEN.fetch_add(MANY, Ordering::Relaxed);
            self.ids = first + 1..first + MANY;
            first
        })
    }

    /// The place of the life that was retired last, where nobody has that any more, or a new one: asking for room and giving it
    /// back is a good part of what an instance takes that is made for one call.
    #[inline]
    fn place(&mut self, status: InstanceStatus) -> Arc<InstanceStatus> {
        if let Some(mut gone) = self.gone.take()
            && let Some(place) = Arc::get_mut(&mut gone)
        {
            *place = status;
            return gone;
        }
        Arc::new(status)
    }

    fn counts(&self) -> Counts {
        let mut counts = self.unregistered;
        self.alive.iter().for_each(|(_, status)| counts.add(status));
        counts
    }
}

impl InstanceRegistry {
    fn lock(&self) -> MutexGuard<'_, Instances> {
        self.instances.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Refuses new work once the runtime shuts down.
    pub(crate) fn admit_work(&self) -> Result<()> {
        if self.lock().closed { Err(shut_down()) } else { Ok(()) }
    }

    pub(crate) fn compiled_one(&self) {
        self.modules_compiled.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn restored_one(&self) {
        self.cache_hits.fetch_add(1, Ordering::Relaxed);
    }

    /// An instance is being made: its life, which can be stopped and paused with `interruption`, and the number of its entry.
    pub(crate) fn register(
        &self,
        limits: Limits,
        shared_bytes: u64,
        interruption: bool,
    ) -> Result<(Arc<InstanceStatus>, usize)> {
        let mut instances = self.lock();
        if instances.closed {
            return Err(shut_down());
        }
        let id = instances.next_id();
        let status = if interruption {
            InstanceStatus::interruptible(id, limits, shared_bytes)?
        } else {
            instances.place(InstanceStatus::new(id, limits, shared_bytes, None))
        };
        let entry = instances.alive.insert(Arc::clone(&status));
        Ok((status, entry))
    }

    /// The instance of this entry is being dropped: its counts outlive it.
    pub(crate) fn unregister(&self, entry: usize) {
        let mut instances = self.lock();
        let status = instances.alive.remove(entry);
        instances.unregistered.add(&status);
        instances.gone = status.interrupt().is_none().then_some(status);
    }

    pub(crate) fn metrics(&self) -> RuntimeMetrics {
        let instances = self.lock();
        let Counts { created, calls, traps, stopped, fuel } = instances.counts();
        let mut metrics = RuntimeMetrics {
            modules_compiled: self.modules_compiled.load(Ordering::Relaxed),
            cache_hits: self.cache_hits.load(Ordering::Relaxed),
            instances_created: created,
            calls,
            traps,
            stopped,
            fuel_used: fuel,
            ..RuntimeMetrics::default()
        };
        for (_, status) in &instances.alive {
            metrics.instances_alive += 1;
            metrics.memory_bytes += status.memory().used();
            metrics.memory_peak_bytes += status.memory().peak();
        }
        metrics
    }

    /// See [`WasmRuntime::shutdown`](crate::WasmRuntime::shutdown).
    pub(crate) fn shutdown(&self, within: Duration) -> Shutdown {
        let deadline = Instant::now().checked_add(within);
        let (statuses, stopped_before) = {
            let mut instances = self.lock();
            instances.closed = true;
            let statuses: Vec<_> = instances.alive.iter().map(|(_, status)| Arc::clone(status)).collect();
            (statuses, instances.counts().stopped)
        };
        for status in &statuses {
            status.close();
        }
        let running = statuses.iter().filter(|status| !status.wait_until_idle(deadline)).count() as u64;
        drop(statuses);
        let instances = self.lock();
        Shutdown {
            stopped: instances.counts().stopped - stopped_before,
            running,
            instances_alive: instances.alive.len() as u64,
        }
    }
}

fn shut_down() -> Error {
    Error::new(ErrorKind::ShutDown, "the runtime was shut down")
}
