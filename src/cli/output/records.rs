//! The progress of a batch, as one line of text.

use std::fmt::Write as _;
use std::time::Duration;

use indicatif::HumanCount;
use wrun::batch::{BatchCounters, BatchReport};

/// Describes a running batch: `1,200 records, 400/s, 3 failed, 3s`.
pub(super) fn progress(counters: &BatchCounters) -> String {
    let (records, failed, elapsed) = (counters.records(), counters.failed(), counters.elapsed());
    let mut line = format!("{}, {}/s", counted(records), HumanCount(per_second(records, elapsed)));
    if failed > 0 {
        let _ = write!(line, ", {} failed", HumanCount(failed));
    }
    let _ = write!(line, ", {}", clock(elapsed));
    line
}

/// Describes a batch that has ended: `1,200 records in 3.1 s, 387/s, 3 failed (invalid_argument 1, trap 2)`.
pub(crate) fn summary(report: &BatchReport, elapsed: Duration) -> String {
    let (records, seconds) = (report.records, elapsed.as_secs_f64());
    let rate = HumanCount(per_second(records, elapsed));
    let mut line = format!("{} in {seconds:.1} s, {rate}/s", counted(records));
    if report.failed > 0 {
        let _ = write!(line, ", {} failed ({})", HumanCount(report.failed), kinds(report));
    }
    line
}

/// Says how many records failed: `2 of 1,000 records failed (invalid_argument 2)`.
pub(crate) fn failed(report: &BatchReport) -> String {
    format!("{} of {} failed ({})", HumanCount(report.failed), counted(report.records), kinds(report))
}

/// Says how far a batch came: `stopped after 3,675 records, 2 failed (trap 2)`.
pub(crate) fn stopped(report: &BatchReport) -> String {
    let mut line = format!("stopped after {}", counted(report.records));
    if report.failed > 0 {
        let _ = write!(line, ", {} failed ({})", HumanCount(report.failed), kinds(report));
    }
    line
}

/// Lists how many records failed with each kind of error.
fn kinds(report: &BatchReport) -> String {
    let kinds = report.errors.iter().map(|(kind, count)| format!("{kind} {}", HumanCount(*count)));
    kinds.collect::<Vec<_>>().join(", ")
}

/// Formats a number of records.
fn counted(records: u64) -> String {
    format!("{} record{}", HumanCount(records), if records == 1 { "" } else { "s" })
}

/// Returns the average number of records in a second.
fn per_second(records: u64, elapsed: Duration) -> u64 {
    let rate = u128::from(records) * 1_000_000_000 / elapsed.as_nanos().max(1);
    u64::try_from(rate).unwrap_or(u64::MAX)
}

/// Formats seconds as `59s`, `1m05s` or `2h03m`.
fn clock(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds}s"),
        (0, minutes, seconds) => format!("{minutes}m{seconds:02}s"),
        (hours, minutes, _) => format!("{hours}h{minutes:02}m"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_two_units() {
        let shown = [0, 59, 60, 65, 3599, 3600, 7384, 360_000].map(|seconds| clock(Duration::from_secs(seconds)));
        assert_eq!(shown, ["0s", "59s", "1m00s", "1m05s", "59m59s", "1h00m", "2h03m", "100h00m"]);
    }

    #[test]
    fn rates_are_averages() {
        assert_eq!(per_second(3, Duration::from_millis(1500)), 2);
        assert_eq!(per_second(0, Duration::ZERO), 0);
        assert_eq!(per_second(u64::MAX, Duration::from_nanos(1)), u64::MAX);
    }
}
