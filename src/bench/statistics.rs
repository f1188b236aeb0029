//! Medians, their intervals, and outliers. Nothing here assumes a distribution.
//!
//! Samples that follow each other are alike: a busy moment slows several. So they are divided into blocks of equal length, in the
//! order of time, and intervals are those of the blocks' medians.

use serde::{Deserialize, Serialize};
use statrs::distribution::{Binomial, DiscreteCDF};
use statrs::statistics::{Data, OrderStatistics};

/// The most blocks that samples are divided into.
pub(super) const MAX_BLOCKS: usize = 30;
/// The confidence of the interval of a median.
pub(super) const CONFIDENCE: f64 = 0.95;
/// The confidence of the interval of a ratio: a report has dozens of them.
pub(super) const RATIO_CONFIDENCE: f64 = 0.99;

/// The number of samples outside of Tukey's fences.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outliers {
    /// More than 1.5 times the distance of the quartiles away from them, but not 3 times.
    pub mild: usize,
    /// More than 3 times.
    pub severe: usize,
}

/// Returns a quantile of values that are not empty.
pub(super) fn quantile(values: &[f64], part: f64) -> f64 {
    Data::new(values.to_vec()).quantile(part)
}

/// Returns the quantiles 0, 5, … 100 %.
pub(super) fn quantiles(values: &[f64]) -> Vec<f64> {
    let mut data = Data::new(values.to_vec());
    (0..=20).map(|step| data.quantile(f64::from(step) / 20.0)).collect()
}

/// Returns the medians of the blocks, in the order of time.
pub(super) fn block_medians(samples: &[f64]) -> Vec<f64> {
    let count = samples.len().min(MAX_BLOCKS);
    (0..count)
        .map(|block| {
            let bound = |block: usize| block * samples.len() / count;
            quantile(&samples[bound(block)..bound(block + 1)], 0.5)
        })
        .collect()
}

/// Returns the interval that holds the median of the population with this confidence: the exact one, from the order of the values.
/// `None` if there are too few values.
pub(super) fn median_interval(values: &[f64], confidence: f64) -> Option<[f64; 2]> {
    let binomial = Binomial::new(0.5, values.len() as u64).ok()?;
    // The largest rank that the median is below with a probability of at most this. The same holds from the other end.
    let outside = (1.0 - confidence) / 2.0;
    let rank = (0..values.len() as u64 / 2).take_while(|rank| binomial.cdf(*rank) <= outside).last()?;
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = usize::try_from(rank).ok()?;
    Some([sorted[rank], sorted[sorted.len() - 1 - rank]])
}

/// Counts the samples outside of Tukey's fences: more than 1.5 times the distance of the quartiles away from them, or 3 times.
pub(super) fn outliers(samples: &[f64]) -> Outliers {
    let (low, high) = (quantile(samples, 0.25), quantile(samples, 0.75));
    let beyond =
        |factor: f64, sample: &f64| *sample < low - factor * (high - low) || *sample > high + factor * (high - low);
    let count = |factor| samples.iter().filter(|sample| beyond(factor, sample)).count();
    Outliers { mild: count(1.5) - count(3.0), severe: count(3.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that look random, from 0 to 1.
    fn noise() -> impl Iterator<Item = f64> {
        let mut state = 1_u64;
        std::iter::repeat_with(move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            f64::from(u32::try_from(state >> 32).unwrap()) / f64::from(u32::MAX)
        })
    }

    #[test]
    fn the_interval_of_a_median_has_the_ranks_of_the_tables() {
        // The ranks for 95 %: 6 values 1 and 6, 10 values 2 and 9, 30 values 10 and 21.
        for (count, ranks) in [(6_i32, [1.0, 6.0]), (10, [2.0, 9.0]), (30, [10.0, 21.0])] {
            let values: Vec<_> = (1..=count).rev().map(f64::from).collect();
            assert_eq!(median_interval(&values, 0.95), Some(ranks), "{count}");
        }
        assert_eq!(median_interval(&[1.0; 5], 0.95), None);
        assert_eq!(median_interval(&[], 0.95), None);
    }

    #[test]
    fn an_interval_holds_the_true_median_as_often_as_it_says() {
        let mut noise = noise();
        let held = (0..1000).filter(|_| {
            let values: Vec<_> = noise.by_ref().take(30).collect();
            median_interval(&values, 0.95).is_some_and(|[low, high]| low <= 0.5 && 0.5 <= high)
        });
        assert!((930..=985).contains(&held.count()));
    }

    #[test]
    fn blocks_keep_the_order_of_time() {
        let samples: Vec<_> = (0..90).map(f64::from).collect();
        let blocks = block_medians(&samples);
        assert_eq!((blocks.len(), blocks[0], blocks[29]), (30, 1.0, 88.0));
        assert_eq!(block_medians(&samples[..3]), [0.0, 1.0, 2.0]);
    }

    #[test]
    fn outliers_are_beyond_the_fences_of_tukey() {
        let mut samples: Vec<_> = (0..100).map(f64::from).collect();
        assert_eq!(outliers(&samples), Outliers { mild: 0, severe: 0 });
        samples.extend([180.0, 1000.0, -1000.0]);
        assert_eq!(outliers(&samples), Outliers { mild: 1, severe: 2 });
    }
}
