//! Fixed pieces of work of the host, which show how fast the machine is at the moment.

use std::hint::black_box;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::Phase;
use super::statistics::quantile;

/// The number of steps of the computation: about 100 µs.
const STEPS: u32 = 20_000;
/// The size of the memory: more than allocators keep.
const MAPPED_BYTES: usize = 64 << 20;
/// The number of pages that are written.
const PAGES: usize = 32;
const PAGE: usize = 4096;

/// How long fixed pieces of work of the host took while a phase was measured. They take longer if the processor runs slower or other
/// work shares the machine.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Calibration {
    /// A computation, about 100 µs on an idle machine.
    pub computation: CalibrationTime,
    /// Getting memory from the system, writing to 32 pages, and returning it.
    pub memory: CalibrationTime,
}

/// How long one piece of work took, in nanoseconds.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CalibrationTime {
    /// The median.
    pub median_ns: f64,
    /// The 5 % quantile.
    pub fast_ns: f64,
}

/// The times of both pieces of work so far.
#[derive(Debug, Default)]
pub(super) struct CalibrationSamples {
    computation: Vec<f64>,
    memory: Vec<f64>,
}

impl CalibrationSamples {
    pub(super) fn measure(&mut self) {
        self.computation.push(timed(|| compute(black_box([1, 2, 3, 5]))));
        self.memory.push(timed(use_memory));
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

impl Calibration {
    pub(super) fn new(samples: &CalibrationSamples) -> Self {
        Self { computation: CalibrationTime::new(&samples.computation), memory: CalibrationTime::new(&samples.memory) }
    }

    /// Returns the least and the greatest of 1 and the ratios of these times to those of `then`, which `time` selects. Later calls
    /// need no memory from the system.
    pub(super) fn ratios(&self, then: &Self, phase: Phase, time: impl Fn(&CalibrationTime) -> f64) -> [f64; 2] {
        let computation = time(&self.computation) / time(&then.computation);
        let memory = if phase == Phase::Call { 1.0 } else { time(&self.memory) / time(&then.memory) };
        [computation.min(memory).min(1.0), computation.max(memory).max(1.0)]
    }
}

impl CalibrationTime {
    pub(super) fn new(samples: &[f64]) -> Self {
        Self { median_ns: quantile(samples, 0.5), fast_ns: quantile(samples, 0.05) }
    }
}

fn timed<T>(work: impl FnOnce() -> T) -> f64 {
    let start = Instant::now();
    black_box(work());
    start.elapsed().as_secs_f64() * 1e9
}

/// Four independent chains of shifts and products, which keep the units of the processor busy and need no memory.
fn compute(mut chains: [u64; 4]) -> [u64; 4] {
    for _ in 0..STEPS {
        for chain in &mut chains {
            *chain ^= *chain << 13;
            *chain = (*chain ^ (*chain >> 7)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
    }
    chains
}

/// Allocates memory that the system maps on demand, writes to its first pages, and frees it.
fn use_memory() {
    let mut bytes = black_box(vec![0_u8; MAPPED_BYTES]);
    bytes.chunks_mut(PAGE).take(PAGES).for_each(|page| page[0] = 1);
    black_box(&bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_take_time() {
        let mut samples = CalibrationSamples::default();
        (0..20).for_each(|_| samples.measure());
        let Calibration { computation, memory } = Calibration::new(&samples);
        assert!(computation.fast_ns > 1000.0 && computation.fast_ns <= computation.median_ns, "{computation:?}");
        assert!(memory.fast_ns > 1000.0 && memory.fast_ns <= memory.median_ns, "{memory:?}");
    }

    #[test]
    fn later_calls_need_no_memory() {
        let of = |computation: f64, memory: f64| {
            let [computation, memory] = [computation, memory].map(|ns| CalibrationTime::new(&[ns]));
            Calibration { computation, memory }
        };
        let (now, then) = (of(120.0, 150.0), of(100.0, 100.0));
        let ratios = |now: Calibration, then, phase| format!("{:?}", now.ratios(&then, phase, |it| it.median_ns));
        assert_eq!(ratios(now, then, Phase::Instantiate), "[1.0, 1.5]");
        assert_eq!(ratios(now, then, Phase::Call), "[1.0, 1.2]");
        assert_eq!(ratios(then, of(125.0, 200.0), Phase::Load), "[0.5, 1.0]");
    }
}
