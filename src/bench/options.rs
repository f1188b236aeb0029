//! How a function is measured.

use std::time::Duration;

use super::Baseline;
use crate::compare::CompareOptions;

/// How a function or a program is measured.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BenchOptions {
    /// The variants, the limits and the capabilities. Standard output and error are captured. Fuel and time are limits of each call.
    /// Without a seed, clocks and random bytes are those of the system.
    pub compare: CompareOptions,
    /// The most time for each phase, for all variants together. Each variant is measured at least once in each phase.
    pub time: Duration,
    /// A phase ends early if the interval of each median is at most this part of the median to either side.
    pub precision: f64,
    /// The smallest difference that counts, as a part of the time of the reference.
    pub min_effect: f64,
    /// What to compare with. A phase in which something changed is measured again, up to twice, and the last measurement counts.
    pub baseline: Option<Baseline>,
}

impl Default for BenchOptions {
    /// All variants, three seconds for each phase, 2 % for precision and smallest difference.
    fn default() -> Self {
        let mut compare = CompareOptions::default();
        compare.capabilities.seed = None;
        Self { compare, time: Duration::from_secs(3), precision: 0.02, min_effect: 0.02, baseline: None }
    }
}
