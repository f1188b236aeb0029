//! The instances of a runtime, and their counters.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use slab::Slab;

use crate::error::{Error, ErrorKind, Result};
use crate::limits::Limits;
use crate::runtime::interrupt::InterruptState;
use crate::runtime::metrics::{RuntimeMetrics, Shutdown};
use crate::runtime::status::InstanceStatus;
use crate::runtime::watchdog;

/// The instances of a runtime and the counters behind [`RuntimeMetrics`]. Each runtime owns one registry.
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
    /// The status of the instance that was unregistered last. Its allocation is reused for the next one.
    gone: Option<Arc<InstanceStatus>>,
    /// Reserved instance ids.
    ids: Range<u64>,
}

/// The counters that each instance keeps.
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
    /// Returns an id that is unique in the process. Each runtime reserves many at once, because a shared counter is slow.
    fn next_id(&mut self) -> u64 {
        static TAKEN: AtomicU64 = AtomicU64::new(0);
        const MANY: u64 = 1 << 16;
        self.ids.next().unwrap_or_else(|| {
            let first = TAKEN.fetch_add(MANY, Ordering::Relaxed);
            self.ids = first + 1..first + MANY;
            first
        })
    }

    /// Reuses the allocation of the status that was unregistered last, if no handle refers to it. Allocating is a good part
    /// of the cost of an instance that is created for one call.
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

    /// Refuses new work after a shutdown.
    ///
    /// # Errors
    /// [`ErrorKind::ShutDown`].
    pub(crate) fn admit_work(&self) -> Result<()> {
        if self.lock().closed { Err(shut_down()) } else { Ok(()) }
    }

    pub(crate) fn count_compiled(&self) {
        self.modules_compiled.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_cache_hit(&self) {
        self.cache_hits.fetch_add(1, Ordering::Relaxed);
    }

    /// Registers an instance. Returns its status and the key of its entry. With `interruption`, the instance can be stopped
    /// and paused.
    ///
    /// # Errors
    /// [`ErrorKind::ShutDown`] after a shutdown, [`ErrorKind::Internal`] if the watchdog thread cannot be started.
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
            watchdog::start()?;
            let interrupt = InterruptState::new(limits.time);
            Arc::new(InstanceStatus::new(id, limits, shared_bytes, Some(interrupt)))
        } else {
            instances.place(InstanceStatus::new(id, limits, shared_bytes, None))
        };
        let entry = instances.alive.insert(Arc::clone(&status));
        Ok((status, entry))
    }

    /// Removes the entry of an instance and keeps its counters.
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
