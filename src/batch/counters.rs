//! The counters and measurements of a batch.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use super::processed::{BatchOutcome, Tally};
use super::report::{BatchReport, CallTimes};
use super::usage::CallTotals;
use crate::error::ErrorKind;
use crate::session::{CallUsage, nanoseconds};

/// Counters of a running batch, which any thread can read. Each batch needs its own.
#[derive(Debug, Default)]
pub struct BatchCounters {
    records: AtomicU64,
    failed: AtomicU64,
    started: OnceLock<Instant>,
    details: Mutex<Details>,
}

#[derive(Debug, Default)]
struct Details {
    outcome: BatchOutcome,
    elapsed: Option<Duration>,
    errors: BTreeMap<&'static str, u64>,
    calls: Option<CallTotals>,
}

impl BatchCounters {
    /// Returns the number of records whose results or errors were written.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.records.load(Ordering::Relaxed)
    }

    /// Returns the number of these records that failed.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    /// Returns the time since the batch began, or that it took.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        let elapsed = self.details().elapsed;
        elapsed.unwrap_or_else(|| self.started.get().map(Instant::elapsed).unwrap_or_default())
    }

    /// Returns the progress of the batch. The times and the use of calls are complete when the batch has ended.
    #[must_use]
    pub fn report(&self) -> BatchReport {
        let (records, failed, elapsed) = (self.records(), self.failed(), self.elapsed());
        let details = self.details();
        let calls = details.calls.as_ref();
        BatchReport {
            outcome: details.outcome,
            records,
            failed,
            errors: details.errors.clone(),
            elapsed_ns: nanoseconds(elapsed),
            records_per_second: BatchReport::rate(records, elapsed),
            call_ns: calls.and_then(CallTimes::new),
            fuel_used: calls.and_then(|calls| calls.fuel_used),
            fuel_max: calls.and_then(|calls| calls.fuel_max),
            memory_peak_bytes: calls.map(|calls| calls.memory_peak_bytes),
            failure: None,
        }
    }

    fn details(&self) -> MutexGuard<'_, Details> {
        self.details.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn start(&self) {
        let _ = self.started.set(Instant::now());
    }

    pub(super) fn end(&self, outcome: BatchOutcome) {
        let elapsed = self.elapsed();
        let mut details = self.details();
        (details.outcome, details.elapsed) = (outcome, Some(elapsed));
    }

    /// Adds records whose results or errors were written.
    pub(super) fn add(&self, tally: &Tally) {
        self.records.fetch_add(tally.records(), Ordering::Relaxed);
        let failures = tally.failures();
        if !failures.is_empty() {
            self.failed.fetch_add(failures.len() as u64, Ordering::Relaxed);
            let mut details = self.details();
            for kind in failures {
                *details.errors.entry(ErrorKind::as_str(*kind)).or_default() += 1;
            }
        }
    }
}

/// Records the calls of one worker, and adds them to the counters at the end.
#[derive(Debug)]
pub(super) struct Recorder<'a> {
    calls: CallTotals,
    counters: &'a BatchCounters,
}

impl<'a> Recorder<'a> {
    pub(super) fn new(counters: &'a BatchCounters) -> Self {
        Self { calls: CallTotals::default(), counters }
    }

    pub(super) fn record(&mut self, usage: &CallUsage) {
        self.calls.add(usage);
    }
}

impl Drop for Recorder<'_> {
    fn drop(&mut self) {
        let mut details = self.counters.details();
        details.calls.get_or_insert_default().merge(&self.calls);
    }
}
