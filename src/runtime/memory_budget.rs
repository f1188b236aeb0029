//! Linear memory in use by one instance, all memories together, against its limit.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::limits::{LimitExceeded, LimitKind};

/// Counts bytes of linear memory, refuses what is past the limit, remembers the peak. Both engines ask it before a
/// memory is made or grown.
#[derive(Debug)]
pub struct MemoryBudget {
    limit: u64,
    used: AtomicU64,
    peak: AtomicU64,
    /// What was last asked for in vain; 0 is nothing.
    denied: AtomicU64,
}

impl MemoryBudget {
    /// A budget of `limit` bytes, `used` of them taken; `None` is no limit.
    #[must_use]
    pub fn new(limit: Option<u64>, used: u64) -> Self {
        Self {
            limit: limit.unwrap_or(u64::MAX),
            used: AtomicU64::new(used),
            peak: AtomicU64::new(used),
            denied: AtomicU64::new(0),
        }
    }

    /// Takes `bytes` where they fit.
    #[must_use]
    pub fn take(&self, bytes: u64) -> bool {
        let fits = |used: u64| used.checked_add(bytes).filter(|total| *total <= self.limit);
        match self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits) {
            Ok(before) => {
                self.peak.fetch_max(before + bytes, Ordering::Relaxed);
                true
            }
            Err(used) => {
                self.denied.store(used.saturating_add(bytes), Ordering::Relaxed);
                false
            }
        }
    }

    /// Gives back `bytes` that were taken for a memory or a growth which then failed: they were never in use, and no peak
    /// either where they made one.
    pub fn give_back(&self, bytes: u64) {
        let before = self.used.fetch_sub(bytes, Ordering::Relaxed);
        let _ = self.peak.compare_exchange(before, before - bytes, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Takes back the bytes of a memory that is gone, as that of a thread that ended.
    pub fn release(&self, bytes: u64) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// The limit, and the bytes that were last asked for in vain, since [`MemoryBudget::forget_denied`].
    #[must_use]
    pub fn denied(&self) -> Option<LimitExceeded> {
        match self.denied.load(Ordering::Relaxed) {
            0 => None,
            attempted => Some(LimitExceeded::new(LimitKind::Memory, self.limit, attempted)),
        }
    }

    /// Forgets what was asked for in vain.
    pub fn forget_denied(&self) {
        self.denied.store(0, Ordering::Relaxed);
    }

    /// Bytes in use.
    #[must_use]
    pub fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    /// The most bytes that were in use.
    #[must_use]
    pub fn peak(&self) -> u64 {
        self.peak.load(Ordering::Relaxed)
    }
}
