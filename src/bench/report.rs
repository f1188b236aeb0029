//! The report of a bench.

use serde::{Deserialize, Serialize};

use super::baseline::BaselineReport;
use super::measurement::Failed;
use super::{Calibration, Difference, EngineVersion, Machine, Measurement, Phase, RunInputs};
use crate::compare::{Observation, Variant};

/// The version of the report's shape. It changes if a field is removed or gets another meaning.
pub const SCHEMA: u32 = 1;

/// The result of a bench.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BenchReport {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The version of this crate.
    pub wrun: String,
    /// The engines.
    pub engines: Vec<EngineVersion>,
    /// Where it was measured.
    pub machine: Machine,
    /// The name of the module, if the caller sets it.
    pub module: Option<String>,
    /// The BLAKE3 hash of the module, in hexadecimal digits.
    pub module_hash: String,
    /// The length of the module in bytes.
    pub module_bytes: usize,
    /// The name of the function, in full.
    pub function: String,
    /// What each run gets. `None` in a report of an earlier version.
    pub inputs: Option<RunInputs>,
    /// How it was measured.
    pub settings: Settings,
    /// Whether all variants did the same, as [`Verdict`](crate::compare::Verdict) says.
    pub agreement: String,
    /// The variants. The others are compared with the first that can run.
    pub variants: Vec<VariantReport>,
    /// The phases.
    pub phases: Vec<PhaseReport>,
    /// How it differs from an earlier report, if there is one.
    #[serde(skip_deserializing)]
    pub baseline: Option<BaselineReport>,
}

/// How it was measured.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Settings {
    /// The most time for each phase.
    pub time_ns: u64,
    /// The precision at which a phase ends early.
    pub precision: f64,
    /// The smallest difference that counts.
    pub min_effect: f64,
    /// The confidence of the intervals of medians.
    pub confidence: f64,
    /// The confidence of the intervals of ratios.
    pub ratio_confidence: f64,
}

/// A variant, and what does not depend on time.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct VariantReport {
    /// The name, such as `wasmtime cranelift speed`.
    pub name: String,
    /// The engine.
    pub runtime: String,
    /// The compiler.
    pub compiler: String,
    /// The optimization level.
    pub opt: Option<String>,
    /// Why the variant cannot run.
    pub failed: Option<Failed>,
    /// The portable fuel that one call in a new instance uses.
    pub fuel_used: Option<u64>,
    /// The most bytes of linear memory that were in use.
    pub memory_peak_bytes: Option<u64>,
    /// The size of the compiled code and its tables in bytes.
    pub compiled_bytes: Option<u64>,
    /// The size of the compiled code as the engine writes it to a cache, in bytes.
    pub serialized_bytes: Option<u64>,
}

impl VariantReport {
    pub(super) fn new(variant: Variant, observed: Option<&Observation>) -> Self {
        Self {
            name: variant.to_string(),
            runtime: variant.runtime.as_str().to_owned(),
            compiler: variant.compiler.as_str().to_owned(),
            opt: variant.level.map(|level| level.as_str().to_owned()),
            failed: None,
            fuel_used: observed.and_then(|run| run.fuel_used),
            memory_peak_bytes: observed.and_then(|run| run.memory_peak_bytes),
            compiled_bytes: None,
            serialized_bytes: None,
        }
    }
}

/// The times of one phase.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PhaseReport {
    /// The phase.
    pub phase: Phase,
    /// Each variant that can run.
    pub measurements: Vec<Measurement>,
    /// Each pair of variants that were measured.
    pub differences: Vec<Difference>,
    /// The speed of the machine during the phase.
    pub calibration: Calibration,
}

impl PhaseReport {
    pub(super) fn new(phase: Phase, measurements: Vec<Measurement>, calibration: Calibration, min_effect: f64) -> Self {
        let mut differences = Vec::new();
        for (index, reference) in measurements.iter().enumerate() {
            let others = measurements[index + 1..].iter();
            differences.extend(others.filter_map(|other| Difference::of(other, reference, min_effect)));
        }
        Self { phase, measurements, differences, calibration }
    }

    /// Returns the measurement that the others are compared with: the first that did not fail.
    #[must_use]
    pub fn reference(&self) -> Option<&Measurement> {
        self.measurements.iter().find(|measured| measured.failed.is_none())
    }

    /// Returns how a variant differs from the reference.
    #[must_use]
    pub fn difference(&self, variant: &str) -> Option<&Difference> {
        let reference = &self.reference()?.variant;
        self.differences.iter().find(|difference| difference.variant == variant && difference.reference == *reference)
    }
}
