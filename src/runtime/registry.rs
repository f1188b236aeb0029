//! The instances of a runtime, and their counters.

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
        self.created += u64::from(status.is_created());
        self.calls += status.calls();
        self.traps += status.traps();
        self.stopped += status.stopped();
        self.fuel = self.fuel.saturating_add(status.fuel());
    }
}

impl Instances {
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
    /// [`ErrorKind::ShutDown`] after a shutdown, [`ErrorKind::Io`] if the watchdog thread cannot be started.
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
        let interrupt = if interruption {
            watchdog::start()?;
            Some(InterruptState::new(limits.time))
        } else {
            None
        };
        let status = Arc::new(InstanceStatus::new(limits, shared_bytes, interrupt));
        let entry = instances.alive.insert(Arc::clone(&status));
        Ok((status, entry))
    }

    /// Removes the entry of an instance and keeps its counters.
    pub(crate) fn unregister(&self, entry: usize) {
        let mut instances = self.lock();
        let status = instances.alive.remove(entry);
        instances.unregistered.add(&status);
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
