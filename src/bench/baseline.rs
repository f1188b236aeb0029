//! How a report differs from an earlier one.

use serde::Serialize;

use super::measurement::Speed;
use super::statistics::quantile;
use super::{Calibration, Measurement, Phase};

/// Smaller changes do not count in phases that are not measured in loops. Whether a page fault occurs depends on the memory layout of
/// the process.
const MIN_CHANGE_NS: f64 = 1500.0;

/// If the highest ratio of two blocks is more than this many times the lowest, other work on the machine decides the times.
const MAX_NOISE: f64 = 2.0;

/// How two reports differ.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct BaselineReport {
    /// The largest change that does not count.
    pub max_regression: f64,
    /// What can make the reports incomparable: another machine, module, function or engine version.
    pub notes: Vec<String>,
    /// Each variant and phase that both have.
    pub changes: Vec<Change>,
    /// The names of variants with a phase that only the earlier report has.
    pub missing: Vec<String>,
}

/// How the time of a variant in a phase changed.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Change {
    /// The phase.
    pub phase: Phase,
    /// The name of the variant.
    pub variant: String,
    /// The time now divided by the time then.
    pub ratio: f64,
    /// The range of this ratio. For [`Phase::Call`], that of the intervals of the medians. For other phases, that over the blocks of both
    /// reports, without the outermost 2.5 % on either side. It is wider: two processes differ more than two blocks.
    pub range: [f64; 2],
    /// How much slower the machine was: the ratios of the two [`Calibration`]s, and 1. The least and the greatest of these.
    pub machine: [f64; 2],
    /// The verdict: faster or slower if the ratio of the medians and that of the 5 % quantiles, both divided by `machine`, exceed the
    /// largest change that does not count, and the whole range exceeds half of it. Unknown if there are too few samples, or if the
    /// upper end of the range is more than twice the lower, unless the whole range is above 2 or below one half.
    /// Changes of less than 1.5 µs count only for [`Phase::Call`].
    pub speed: Speed,
}

impl BaselineReport {
    /// Returns whether anything is slower.
    #[must_use]
    pub fn has_regression(&self) -> bool {
        self.changes.iter().any(|change| change.speed == Speed::Slower)
    }
}

impl Change {
    /// Compares two measurements of one variant in one phase. `None` if one has no samples.
    pub(super) fn of(
        phase: Phase,
        (now, new): (&Calibration, &Measurement),
        (then, old): (&Calibration, &Measurement),
        max_regression: f64,
    ) -> Option<Self> {
        let (new_ns, old_ns) = new.median_ns.zip(old.median_ns)?;
        let ratio = new_ns / old_ns;
        let ratios: Vec<f64> =
            new.blocks_ns.iter().flat_map(|new| old.blocks_ns.iter().map(move |old| new / old)).collect();
        if ratios.is_empty() {
            return None;
        }
        let range @ [low, high] = match (phase, new.interval_ns, old.interval_ns) {
            (Phase::Call, Some([new_low, new_high]), Some([old_low, old_high])) => {
                [new_low / old_high, new_high / old_low]
            }
            _ => [quantile(&ratios, 0.025), quantile(&ratios, 0.975)],
        };
        // A busy machine slows the slow samples more than the fast ones.
        let fast = |measured: &Measurement| measured.quantiles_ns.get(1).copied();
        let fast_ratio = fast(new)? / fast(old)?;
        let machine @ [quicker, slower] = now.ratios(then, phase, |it| it.median_ns);
        let [fast_quicker, fast_slower] = now.ratios(then, phase, |it| it.fast_ns);
        let least = (ratio / slower).min(fast_ratio / fast_slower);
        let most = (ratio / quicker).max(fast_ratio / fast_quicker);

        let is_too_small = phase != Phase::Call && (new_ns - old_ns).abs() < MIN_CHANGE_NS;
        let (limit, half) = (1.0 + max_regression, 1.0 + max_regression / 2.0);
        let is_noisy = high > MAX_NOISE * low && low <= MAX_NOISE && high >= 1.0 / MAX_NOISE;
        let speed = if new.interval_ns.is_none() || old.interval_ns.is_none() {
            Speed::Unknown
        } else if is_too_small {
            Speed::NoDifference
        } else if least > limit && low / slower > half {
            if is_noisy { Speed::Unknown } else { Speed::Slower }
        } else if most < 1.0 / limit && high / quicker < 1.0 / half {
            if is_noisy { Speed::Unknown } else { Speed::Faster }
        } else {
            Speed::NoDifference
        };
        Some(Self { phase, variant: new.variant.clone(), ratio, range, machine, speed })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::CalibrationTime;

    /// One variant in one phase.
    struct Measured {
        phase: Phase,
        calibration: Calibration,
        times: Measurement,
    }

    /// Times around `center`, with 2 % of noise, on a machine whose calibration work takes `calibration` nanoseconds.
    fn measured(phase: Phase, center: f64, calibration: f64) -> Measured {
        let samples = (0..300).map(|index| center * (1.0 + f64::from(index * 7 % 41 - 20) / 1000.0));
        of(phase, samples, calibration)
    }

    fn of(phase: Phase, samples: impl Iterator<Item = f64>, calibration: f64) -> Measured {
        let times = Measurement::new(String::new(), &samples.collect::<Vec<_>>(), 1);
        let calibration = CalibrationTime::new(&[calibration]);
        Measured { phase, calibration: Calibration { computation: calibration, memory: calibration }, times }
    }

    fn change(now: &Measured, then: &Measured) -> Option<Change> {
        Change::of(now.phase, (&now.calibration, &now.times), (&then.calibration, &then.times), 0.05)
    }

    #[track_caller]
    fn check(now: &Measured, then: &Measured, speed: Speed) {
        let change = change(now, then).unwrap();
        assert_eq!(change.speed, speed, "{change:?}");
    }

    #[track_caller]
    fn check_times(phase: Phase, new: f64, old: f64, speed: Speed) {
        check(&measured(phase, new, 1e5), &measured(phase, old, 1e5), speed);
    }

    #[test]
    fn only_changes_beyond_the_limit_count() {
        check_times(Phase::Compile, 1.10e6, 1e6, Speed::Slower);
        check_times(Phase::Compile, 0.90e6, 1e6, Speed::Faster);
        check_times(Phase::Compile, 1.04e6, 1e6, Speed::NoDifference);
        check_times(Phase::Compile, 1e6, 1e6, Speed::NoDifference);
    }

    #[test]
    fn a_microsecond_counts_only_in_loops() {
        check_times(Phase::Call, 120.0, 100.0, Speed::Slower);
        check_times(Phase::FirstCall, 120.0, 100.0, Speed::NoDifference);
        check_times(Phase::Instantiate, 4800.0, 4000.0, Speed::NoDifference);
        check_times(Phase::FirstCall, 6000.0, 4000.0, Speed::Slower);
    }

    #[test]
    fn a_slower_machine_is_no_regression() {
        let then = measured(Phase::Call, 1e6, 1e5);
        check(&measured(Phase::Call, 1.3e6, 1.3e5), &then, Speed::NoDifference);
        check(&measured(Phase::Call, 1.3e6, 1.1e5), &then, Speed::Slower);
        check(&measured(Phase::Call, 0.8e6, 0.8e5), &then, Speed::NoDifference);
        // Nor does it turn equal times into a difference.
        check(&measured(Phase::Call, 1e6, 1.3e5), &then, Speed::NoDifference);
        check(&measured(Phase::Call, 1e6, 0.7e5), &then, Speed::NoDifference);
    }

    #[test]
    fn a_few_slow_blocks_do_not_hide_that_calls_are_slower() {
        let noisy = |factor: f64| (0..300).map(move |index| factor * if index % 100 < 8 { 9e6 } else { 1e6 });
        for (phase, speed) in [(Phase::Call, Speed::Slower), (Phase::Compile, Speed::NoDifference)] {
            check(&of(phase, noisy(1.2), 1e5), &of(phase, noisy(1.0), 1e5), speed);
        }
    }

    #[test]
    fn noise_is_no_regression() {
        let noisy = |index: i32| if index / 10 % 3 == 0 { 1e6 } else { 9e6 };
        let noisy = of(Phase::Compile, (0..300).map(noisy), 1e5);
        check(&noisy, &measured(Phase::Compile, 5e6, 1e5), Speed::NoDifference);
        check(&noisy, &measured(Phase::Compile, 0.7e6, 1e5), Speed::Unknown);
        check(&noisy, &measured(Phase::Compile, 0.1e6, 1e5), Speed::Slower);
    }

    #[test]
    fn few_samples_are_no_regression() {
        let few = of(Phase::Compile, [1e9, 1.1e9].into_iter(), 1e5);
        check(&few, &measured(Phase::Compile, 1e6, 1e5), Speed::Unknown);
        assert!(change(&of(Phase::Compile, [].into_iter(), 1e5), &few).is_none());
    }
}
