//! The times of one variant in one phase, and the difference between two variants.

use serde::{Deserialize, Serialize};
use strum::Display;

use super::statistics::{
    CONFIDENCE, Outliers, RATIO_CONFIDENCE, block_medians, median_interval, outliers, quantile, quantiles,
};
use crate::compare::ErrorSummary;
use crate::error::Error;

/// Why a variant was not measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Failed {
    /// The kind of the error.
    pub kind: String,
    /// The message.
    pub message: String,
}

impl From<&ErrorSummary> for Failed {
    fn from(summary: &ErrorSummary) -> Self {
        Self { kind: summary.kind.as_str().to_owned(), message: summary.message.clone() }
    }
}

impl From<&Error> for Failed {
    fn from(error: &Error) -> Self {
        Self { kind: error.kind().as_str().to_owned(), message: error.message().to_owned() }
    }
}

/// The times of one variant in one phase, in nanoseconds. Nothing was measured if `failed` says why.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Measurement {
    /// The name of the variant.
    pub variant: String,
    /// Why the variant could not be measured.
    pub failed: Option<Failed>,
    /// The number of samples.
    pub samples: usize,
    /// The number of runs that one sample is the mean of.
    pub iterations: u64,
    /// The median.
    pub median_ns: Option<f64>,
    /// The 95 % interval of the median. `None` if there are too few samples.
    pub interval_ns: Option<[f64; 2]>,
    /// The quantiles 0, 5, … 100 %.
    pub quantiles_ns: Vec<f64>,
    /// The medians of consecutive blocks of samples, in the order of time.
    pub blocks_ns: Vec<f64>,
    /// Samples that are far from the others. They are not left out.
    pub outliers: Outliers,
}

impl Measurement {
    pub(super) fn new(variant: String, samples: &[f64], iterations: u64) -> Self {
        let blocks_ns = block_medians(samples);
        let mut measured = Self {
            variant,
            failed: None,
            samples: samples.len(),
            iterations,
            median_ns: None,
            interval_ns: median_interval(&blocks_ns, CONFIDENCE),
            quantiles_ns: Vec::new(),
            blocks_ns,
            outliers: Outliers::default(),
        };
        if !samples.is_empty() {
            measured.median_ns = Some(quantile(samples, 0.5));
            measured.quantiles_ns = quantiles(samples);
            measured.outliers = outliers(samples);
        }
        measured
    }

    pub(super) fn failed(variant: String, failed: Failed) -> Self {
        Self { failed: Some(failed), ..Self::new(variant, &[], 0) }
    }

    /// Returns how far the interval reaches to either side, as a part of the median.
    #[must_use]
    pub fn half_width(&self) -> Option<f64> {
        let ([low, high], median) = self.interval_ns.zip(self.median_ns)?;
        Some((high - low) / 2.0 / median)
    }
}

/// How fast one variant is, compared with another.
#[derive(Clone, Copy, Debug, Display, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "lowercase")]
#[non_exhaustive]
pub enum Speed {
    /// It takes less time.
    Faster,
    /// It takes more time.
    Slower,
    /// No difference was found.
    #[strum(serialize = "no difference")]
    NoDifference,
    /// There are too few samples, or they vary too much.
    Unknown,
}

/// How the times of a variant differ from those of a reference in one phase.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Difference {
    /// The name of the variant.
    pub variant: String,
    /// The name of the variant that it is compared with.
    pub reference: String,
    /// The time of the variant divided by the time of the reference.
    pub ratio: f64,
    /// The 99 % interval of the ratio. `None` if there are too few samples.
    pub interval: Option<[f64; 2]>,
    /// The verdict.
    pub speed: Speed,
}

impl Difference {
    /// Compares two variants that took turns: each block with the one of the same time.
    pub(super) fn of(measured: &Measurement, reference: &Measurement, min_effect: f64) -> Option<Self> {
        let blocks = measured.blocks_ns.iter().zip(&reference.blocks_ns);
        let ratios: Vec<_> = blocks.map(|(one, other)| one / other).collect();
        if ratios.is_empty() || measured.blocks_ns.len() != reference.blocks_ns.len() {
            return None;
        }
        let interval = median_interval(&ratios, RATIO_CONFIDENCE);
        Some(Self {
            variant: measured.variant.clone(),
            reference: reference.variant.clone(),
            ratio: quantile(&ratios, 0.5),
            interval,
            speed: Speed::of(interval, min_effect),
        })
    }
}

impl Speed {
    /// An interval of ratios that reaches further away from 1 than this may hide a difference.
    const MAX_HIDDEN: f64 = 0.1;

    /// Returns the verdict for an interval of ratios. Differences of less than `min_effect` do not count.
    fn of(interval: Option<[f64; 2]>, min_effect: f64) -> Self {
        match interval {
            None => Self::Unknown,
            Some([low, _]) if low > 1.0 + min_effect => Self::Slower,
            Some([_, high]) if high < 1.0 / (1.0 + min_effect) => Self::Faster,
            Some([low, high]) if low < 1.0 / (1.0 + Self::MAX_HIDDEN) || high > 1.0 + Self::MAX_HIDDEN => Self::Unknown,
            Some(_) => Self::NoDifference,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(times: impl Iterator<Item = f64>) -> Measurement {
        Measurement::new(String::new(), &times.collect::<Vec<_>>(), 1)
    }

    #[test]
    fn drift_that_both_share_is_no_difference() {
        let drifting = |factor: f64| measured((0..300).map(move |time| factor * f64::from(1000 + 3 * time)));
        let difference = |factor| Difference::of(&drifting(factor), &drifting(1.0), 0.02).unwrap();
        assert_eq!(difference(1.0).speed, Speed::NoDifference);
        assert_eq!(difference(1.01).speed, Speed::NoDifference);
        assert_eq!(difference(1.05).speed, Speed::Slower);
        assert_eq!(difference(0.9).speed, Speed::Faster);
        assert!((difference(1.05).ratio - 1.05).abs() < 1e-9);
    }

    #[test]
    fn a_wide_interval_is_not_the_absence_of_a_difference() {
        for (interval, speed) in [
            ([0.95, 1.05], Speed::NoDifference),
            ([0.85, 1.02], Speed::Unknown),
            ([0.99, 1.3], Speed::Unknown),
            ([1.03, 1.3], Speed::Slower),
            ([0.5, 0.97], Speed::Faster),
        ] {
            assert_eq!(Speed::of(Some(interval), 0.02), speed, "{interval:?}");
        }
    }

    #[test]
    fn few_samples_say_nothing() {
        let (fast, slow) = (measured((0..5).map(f64::from)), measured((0..5).map(|time| f64::from(time) + 100.0)));
        assert_eq!(Difference::of(&slow, &fast, 0.02).unwrap().speed, Speed::Unknown);
        assert_eq!(fast.half_width(), None);
    }
}
