//! The report of a batch.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::processed::{BatchFailure, BatchOutcome};
use super::usage::CallTotals;

/// A summary of a batch. The fields from `call_ns` on are only measured with
/// [`WorkerOptions::measure_time`](crate::session::WorkerOptions::measure_time).
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct BatchReport {
    /// How it ended.
    pub outcome: BatchOutcome,
    /// The number of records whose results or errors were written, or skipped.
    pub records: u64,
    /// The number of these records that failed.
    pub failed: u64,
    /// The number of these records that failed, by the kind of the error.
    pub errors: BTreeMap<&'static str, u64>,
    /// The time from the start to the end in nanoseconds.
    pub elapsed_ns: u64,
    /// The number of records for each second of that time.
    pub records_per_second: Option<f64>,
    /// How long calls took. This includes calls whose results were not written.
    pub call_ns: Option<CallTimes>,
    /// The fuel of all calls, except those whose use is unknown because they trapped.
    pub fuel_used: Option<u64>,
    /// The most fuel that one of these calls used.
    pub fuel_max: Option<u64>,
    /// The peak of the linear memory of an instance, in bytes.
    pub memory_peak_bytes: Option<u64>,
    /// The record that ended the batch, with [`OnError::Fail`](super::OnError::Fail).
    #[serde(skip)]
    pub failure: Option<BatchFailure>,
}

/// Percentiles of the time of calls in nanoseconds, to three digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CallTimes {
    /// Half of the calls took no longer.
    pub p50: u64,
    /// 95 % of the calls took no longer.
    pub p95: u64,
    /// 99 % of the calls took no longer.
    pub p99: u64,
    /// The longest call, exactly.
    pub max: u64,
}

impl CallTimes {
    pub(super) fn new(calls: &CallTotals) -> Option<Self> {
        let CallTotals { times, longest_ns, .. } = calls;
        let at = |quantile: f64| times.value_at_quantile(quantile).min(*longest_ns);
        (!times.is_empty()).then(|| Self { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: *longest_ns })
    }
}

impl BatchReport {
    pub(super) fn rate(records: u64, elapsed: Duration) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "53 bits are precise enough for a rate")]
        let rate = records as f64 / elapsed.as_secs_f64();
        rate.is_finite().then_some(rate)
    }
}
