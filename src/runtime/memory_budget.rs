//! The linear memory of one instance, and its limit.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::limits::{LimitExceeded, LimitKind};

/// Counts linear memory in bytes, for all memories of an instance together. Both engines ask it before they create or grow a
/// memory.
#[derive(Debug)]
pub(crate) struct MemoryBudget {
    limit: u64,
    used: AtomicU64,
    peak: AtomicU64,
    /// The size that was denied last, or 0.
    denied: AtomicU64,
}

impl MemoryBudget {
    /// Creates a budget of `limit` bytes (`None`: unlimited), of which `used` are in use.
    #[must_use]
    pub(crate) fn new(limit: Option<u64>, used: u64) -> Self {
        Self {
            limit: limit.unwrap_or(u64::MAX),
            used: AtomicU64::new(used),
            peak: AtomicU64::new(used),
            denied: AtomicU64::new(0),
        }
    }

    #[cfg_attr(not(feature = "wasix"), expect(dead_code, reason = "only WASIX keeps data outside linear memory"))]
    pub(crate) fn is_limited(&self) -> bool {
        self.limit != u64::MAX
    }

    /// Takes `bytes` if the limit allows it. Remembers a denied size.
    #[must_use]
    pub(crate) fn take(&self, bytes: u64) -> bool {
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

    /// Gives back `bytes` of a creation or a growth that failed after it had taken them. Also corrects the peak.
    pub(crate) fn give_back(&self, bytes: u64) {
        let before = self.used.fetch_sub(bytes, Ordering::Relaxed);
        let _ = self.peak.compare_exchange(before, before - bytes, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Releases the bytes of a dropped memory, such as that of a thread that ended.
    pub(crate) fn release(&self, bytes: u64) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Returns the limit and the size that was denied last, since [`MemoryBudget::forget_denied`].
    #[must_use]
    pub(crate) fn denied(&self) -> Option<LimitExceeded> {
        match self.denied.load(Ordering::Relaxed) {
            0 => None,
            attempted => Some(LimitExceeded::new(LimitKind::Memory, self.limit, attempted)),
        }
    }

    /// Forgets the denied size.
    pub(crate) fn forget_denied(&self) {
        self.denied.store(0, Ordering::Relaxed);
    }

    /// Returns the bytes in use.
    #[must_use]
    pub(crate) fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    /// Returns the largest number of bytes that were in use.
    #[must_use]
    pub(crate) fn peak(&self) -> u64 {
        self.peak.load(Ordering::Relaxed)
    }
}
