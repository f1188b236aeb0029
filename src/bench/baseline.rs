//! How a report differs from an earlier one.

use serde::Serialize;

use super::measurement::Speed;
use super::statistics::quantile;
use super::{Measurement, Phase};

/// Changes of less than this in what is measured once, not in a loop, do not count: whether the processor's caches hold the code
/// makes as large a difference from process to process.
const MIN_CHANGE_NS: f64 = 200.0;

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
    /// The range of this ratio over the blocks of both reports, without the outermost 2.5 % on either side. It is wider than an
    /// interval of the medians: two processes differ more than two blocks.
    pub range: [f64; 2],
    /// The verdict: faster or slower if the ratio of the medians and that of the 5 % quantiles exceed the largest change that does not
    /// count, and the whole range exceeds half of it. Unknown if the upper end of the range is more than twice the lower,
    /// unless all of it is above 2 or below one half. Changes of less than 200 ns count only for [`Phase::Call`].
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
    pub(super) fn of(phase: Phase, new: &Measurement, old: &Measurement, max_regression: f64) -> Option<Self> {
        let (new_ns, old_ns) = new.median_ns.zip(old.median_ns)?;
        let ratio = new_ns / old_ns;
        let ratios: Vec<f64> =
            new.blocks_ns.iter().flat_map(|new| old.blocks_ns.iter().map(move |old| new / old)).collect();
        if ratios.is_empty() {
            return None;
        }
        let range @ [low, high] = [quantile(&ratios, 0.025), quantile(&ratios, 0.975)];
        let has_few = new.interval_ns.is_none() || old.interval_ns.is_none();
        // A busy machine slows the slow samples more than the fast ones.
        let fast = |measured: &Measurement| measured.quantiles_ns.get(1).copied();
        let fast_ratio = fast(new)? / fast(old)?;
        let (least, most) = (ratio.min(fast_ratio), ratio.max(fast_ratio));
        let is_too_small = phase != Phase::Call && (new_ns - old_ns).abs() < MIN_CHANGE_NS;
        let half = 1.0 + max_regression / 2.0;
        let is_noisy = high > MAX_NOISE * low && low <= MAX_NOISE && high >= 1.0 / MAX_NOISE;
        let speed = if has_few || is_noisy {
            Speed::Unknown
        } else if low > half && least > 1.0 + max_regression && !is_too_small {
            Speed::Slower
        } else if high < 1.0 / half && most < 1.0 / (1.0 + max_regression) && !is_too_small {
            Speed::Faster
        } else {
            Speed::NoDifference
        };
        Some(Self { phase, variant: new.variant.clone(), ratio, range, speed })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Times around `center`, with 2 % of noise.
    fn measured(center: f64) -> Measurement {
        let samples: Vec<_> = (0..300).map(|index| center * (1.0 + f64::from(index * 7 % 41 - 20) / 1000.0)).collect();
        Measurement::new(String::new(), &samples, 1)
    }

    #[track_caller]
    fn check(phase: Phase, new: f64, old: f64, speed: Speed) {
        let change = Change::of(phase, &measured(new), &measured(old), 0.05).unwrap();
        assert_eq!(change.speed, speed, "{change:?}");
    }

    #[test]
    fn only_changes_beyond_the_limit_count() {
        check(Phase::Compile, 1.10e6, 1e6, Speed::Slower);
        check(Phase::Compile, 0.90e6, 1e6, Speed::Faster);
        check(Phase::Compile, 1.04e6, 1e6, Speed::NoDifference);
        check(Phase::Compile, 1e6, 1e6, Speed::NoDifference);
    }

    #[test]
    fn nanoseconds_count_only_in_loops() {
        check(Phase::Call, 120.0, 100.0, Speed::Slower);
        check(Phase::FirstCall, 120.0, 100.0, Speed::NoDifference);
        check(Phase::FirstCall, 1200.0, 900.0, Speed::Slower);
    }

    #[test]
    fn noise_is_no_regression() {
        let noisy = |index: i32| if index / 10 % 3 == 0 { 1e6 } else { 9e6 };
        let noisy = Measurement::new(String::new(), &(0..300).map(noisy).collect::<Vec<_>>(), 1);
        assert_eq!(Change::of(Phase::Compile, &noisy, &measured(0.7e6), 0.05).unwrap().speed, Speed::Unknown);
        assert_eq!(Change::of(Phase::Compile, &noisy, &measured(0.1e6), 0.05).unwrap().speed, Speed::Slower);
    }

    #[test]
    fn few_samples_are_no_regression() {
        let few = Measurement::new(String::new(), &[1e9, 1.1e9], 1);
        assert_eq!(Change::of(Phase::Compile, &few, &measured(1e6), 0.05).unwrap().speed, Speed::Unknown);
        assert!(Change::of(Phase::Compile, &Measurement::new(String::new(), &[], 1), &few, 0.05).is_none());
    }
}
