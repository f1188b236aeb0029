//! Compares a report with an earlier one.

use super::{BaselineReport, BenchReport, Change, Measurement, PhaseReport, Speed};

/// An earlier report to compare with.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Baseline {
    /// The report.
    pub report: BenchReport,
    /// The largest change that does not count, as a part of the time.
    pub max_regression: f64,
}

impl Baseline {
    /// Compares with this report. Changes of at most `max_regression`, as a part of the time, do not count.
    #[must_use]
    pub fn new(report: BenchReport, max_regression: f64) -> Self {
        Self { report, max_regression }
    }

    /// Returns whether something is faster or slower in this phase.
    pub(super) fn differs(&self, now: &PhaseReport) -> bool {
        let then = self.report.phases.iter().filter(|then| then.phase == now.phase);
        let changes = then
            .flat_map(|then| then.measurements.iter().filter_map(|old| change(now, then, old, self.max_regression)));
        changes.into_iter().any(|change| matches!(change.speed, Speed::Faster | Speed::Slower))
    }
}

/// Compares `now` with `then`. Changes of at most `max_regression`, as a part of the time, do not count.
#[must_use]
pub fn regressions(now: &BenchReport, then: &BenchReport, max_regression: f64) -> BaselineReport {
    let mut report =
        BaselineReport { max_regression, notes: notes(now, then), changes: Vec::new(), missing: Vec::new() };
    for old_phase in &then.phases {
        let phase = now.phases.iter().find(|phase| phase.phase == old_phase.phase);
        for old in old_phase.measurements.iter().filter(|old| old.median_ns.is_some()) {
            match phase.and_then(|phase| change(phase, old_phase, old, max_regression)) {
                Some(change) => report.changes.push(change),
                None => report.missing.push(format!("{} {}", old.variant, old_phase.phase)),
            }
        }
    }
    report
}

/// Compares the measurement of one variant. `None` if `now` has none.
fn change(now: &PhaseReport, then: &PhaseReport, old: &Measurement, max_regression: f64) -> Option<Change> {
    let new = now.measurements.iter().find(|new| new.variant == old.variant)?;
    Change::of(now.phase, (&now.calibration, new), (&then.calibration, old), max_regression)
}

fn notes(now: &BenchReport, then: &BenchReport) -> Vec<String> {
    let changes = [
        ("another machine", now.machine != then.machine),
        ("another module", now.module_hash != then.module_hash),
        ("another function", now.function != then.function),
        ("another version of an engine", now.engines.iter().any(|engine| !then.engines.contains(engine))),
        ("another version of wrun", now.wrun != then.wrun),
    ];
    let inputs = now.inputs.iter().zip(&then.inputs).flat_map(|(now, then)| now.differences(then));
    let changes = changes.into_iter().filter(|(_, differs)| *differs).map(|(what, _)| what).chain(inputs);
    changes.map(|what| format!("the baseline was measured with {what}")).collect()
}
