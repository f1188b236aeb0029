//! Counters of a run.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use crate::compare::{Comparison, Inconclusive, Verdict};

/// Counts modules, calls and verdicts. Any thread can read it during the run.
#[derive(Debug, Default)]
pub struct FuzzCounters {
    modules: AtomicU64,
    same: AtomicU64,
    differ: AtomicU64,
    inconclusive: Mutex<BTreeMap<String, u64>>,
}

/// The numbers of modules, calls and verdicts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FuzzReport {
    /// The modules that were generated and compared.
    pub modules: u64,
    /// The calls that were compared, each on several variants.
    pub calls: u64,
    /// The calls that all variants agree on.
    pub same: u64,
    /// The calls on which variants differ.
    pub differ: u64,
    /// The other calls, by reason.
    pub inconclusive: BTreeMap<String, u64>,
}

impl FuzzCounters {
    /// Returns the numbers so far.
    #[must_use]
    pub fn report(&self) -> FuzzReport {
        let [modules, same, differ] =
            [&self.modules, &self.same, &self.differ].map(|counter| counter.load(Ordering::Relaxed));
        let inconclusive = self.inconclusive.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let calls = same + differ + inconclusive.values().sum::<u64>();
        FuzzReport { modules, calls, same, differ, inconclusive }
    }

    pub(super) fn count_module(&self) {
        self.modules.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_inconclusive(&self, reason: &str) {
        let mut reasons = self.inconclusive.lock().unwrap_or_else(PoisonError::into_inner);
        *reasons.entry(reason.to_owned()).or_default() += 1;
    }

    pub(super) fn count(&self, comparison: &Comparison) {
        let counter = match comparison.verdict {
            Verdict::Same => &self.same,
            Verdict::Differ => &self.differ,
            Verdict::Inconclusive => {
                let reason = comparison.inconclusive.first().map_or("", Inconclusive::kind);
                return self.count_inconclusive(reason);
            }
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}
