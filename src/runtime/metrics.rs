//! What a runtime did, counted.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use serde::Serialize;

use crate::runtime::life::Life;

/// Counts of one runtime since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RuntimeMetrics {
    /// Modules compiled.
    pub modules_compiled: u64,
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
    /// Calls that ended in a trap.
    pub traps: u64,
}

/// The counters behind [`RuntimeMetrics`]; each backend's runtime owns one.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    modules_compiled: AtomicU64,
    instances: Mutex<Instances>,
}

#[derive(Debug, Default)]
struct Instances {
    created: u64,
    alive: Vec<Weak<Life>>,
    retired_calls: u64,
    retired_traps: u64,
}

impl Ledger {
    pub(crate) fn compiled_one(&self) {
        self.modules_compiled.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn enroll(&self, life: &Arc<Life>) {
        let mut instances = self.instances.lock().unwrap_or_else(PoisonError::into_inner);
        instances.created += 1;
        instances.alive.push(Arc::downgrade(life));
    }

    /// An instance is being dropped: its counts outlive it.
    pub(crate) fn retire(&self, life: &Life) {
        let mut instances = self.instances.lock().unwrap_or_else(PoisonError::into_inner);
        instances.retired_calls += life.calls();
        instances.retired_traps += life.traps();
        instances.alive.retain(|other| !std::ptr::eq(other.as_ptr(), life));
    }

    pub(crate) fn metrics(&self) -> RuntimeMetrics {
        let instances = self.instances.lock().unwrap_or_else(PoisonError::into_inner);
        let mut metrics = RuntimeMetrics {
            modules_compiled: self.modules_compiled.load(Ordering::Relaxed),
            instances_created: instances.created,
            calls: instances.retired_calls,
            traps: instances.retired_traps,
            ..RuntimeMetrics::default()
        };
        for life in instances.alive.iter().filter_map(Weak::upgrade) {
            metrics.instances_alive += 1;
            metrics.memory_bytes += life.memory().used();
            metrics.memory_peak_bytes += life.memory().peak();
            metrics.calls += life.calls();
            metrics.traps += life.traps();
        }
        metrics
    }
}
