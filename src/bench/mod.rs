//! How fast a function or a program is on several engines, compilers and optimization levels.
//!
//! A [`Bench`] measures each [`Phase`] from the module to the result apart. The [variants](crate::compare::Variant) take turns, so
//! that a machine that becomes slower makes all of them slower. A [`BenchReport`] can be compared with an earlier one: see
//! [`regressions`].

mod baseline;
mod calibration;
mod inputs;
mod machine;
mod measurement;
mod options;
mod phase;
mod regressions;
mod report;
mod run;
mod statistics;
mod subject;

pub use baseline::{BaselineReport, Change};
pub use calibration::{Calibration, CalibrationTime};
pub use inputs::RunInputs;
pub use machine::{EngineVersion, Machine};
pub use measurement::{Difference, Failed, Measurement, Speed};
pub use options::BenchOptions;
pub use phase::Phase;
pub use regressions::{Baseline, regressions};
pub use report::{BenchReport, PhaseReport, SCHEMA, Settings, VariantReport};
pub use run::{Bench, Progress};
pub use statistics::Outliers;
