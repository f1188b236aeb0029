//! Whether the runs agree.

use serde::Serialize;
use strum::Display;

use super::difference::{differences, may_be_nan};
use super::{Difference, Ending, Observation, Variant};
use crate::error::{ErrorKind, Trap};

/// Whether all runs agree.
#[derive(Clone, Copy, Debug, Display, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "lowercase")]
pub enum Verdict {
    /// All runs agree.
    Same,
    /// At least two runs differ in something that the specification fixes, or that wrun promises.
    Differ,
    /// Some run ended in a way that depends on the engine or the machine, and the others agree.
    Inconclusive,
}

/// A run that cannot be compared.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Inconclusive {
    /// The variant of the run.
    pub variant: Variant,
    /// Why it cannot be compared.
    pub reason: String,
}

impl Inconclusive {
    /// Returns the reason without the engine's message in parentheses.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.reason.split(" (").next().unwrap_or_default()
    }
}

/// The result of a comparison.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Comparison {
    /// Whether all runs agree.
    pub verdict: Verdict,
    /// The name of the function, in full.
    pub function: String,
    /// The differences from the first run that says something.
    pub differences: Vec<Difference>,
    /// The runs that say nothing, and why.
    pub inconclusive: Vec<Inconclusive>,
    /// All runs, in the order of the variants.
    pub runs: Vec<Observation>,
}

impl Comparison {
    pub(super) fn new(function: String, runs: Vec<Observation>, may_make_nans: bool) -> Self {
        let mut inconclusive = Vec::new();
        let mut comparable = Vec::new();
        for run in &runs {
            match reason(&run.ending) {
                Some(reason) => inconclusive.push(Inconclusive { variant: run.variant, reason }),
                None => comparable.push(run),
            }
        }
        if let [only] = runs.as_slice() {
            let reason = "there is no other run to compare with".to_owned();
            inconclusive.push(Inconclusive { variant: only.variant, reason });
        }
        if let Some(long) = comparable.iter().find(|run| run.is_truncated) {
            let reason = "the guest wrote more than is compared".to_owned();
            inconclusive.push(Inconclusive { variant: long.variant, reason });
        }
        let mut found = Vec::new();
        if let Some((first, others)) = comparable.split_first() {
            for other in others {
                let (nans, others): (Vec<_>, Vec<_>) = differences(first, other).into_iter().partition(|difference| {
                    may_make_nans && !other.variant.compiler.has_canonical_nans() && may_be_nan(difference, first)
                });
                found.extend(others);
                let reason = |difference: &Difference| {
                    format!("the compiler does not make NaNs canonical, so {} may differ", difference.aspect)
                };
                let nans = nans.first().map(|nan| Inconclusive { variant: other.variant, reason: reason(nan) });
                inconclusive.extend(nans);
            }
        }
        let differences = found;
        let verdict = match (differences.is_empty(), inconclusive.is_empty()) {
            (false, _) => Verdict::Differ,
            (true, false) => Verdict::Inconclusive,
            (true, true) => Verdict::Same,
        };
        Self { verdict, function, differences, inconclusive, runs }
    }
}

/// Returns why an ending depends on the engine or the machine, if it does.
pub(super) fn reason(ending: &Ending) -> Option<String> {
    let (Ending::Failed(error) | Ending::Refused(error)) = ending else { return None };
    let reason = match (error.kind, error.trap) {
        (_, Some(Trap::StackOverflow)) => "stack overflow: engines use the stack differently",
        (ErrorKind::Timeout, _) => "time limit: the engines run at different speeds",
        (ErrorKind::Io, _) => "the system refused memory, a thread or a file",
        (ErrorKind::UnsupportedFeature | ErrorKind::UnsupportedConfig | ErrorKind::EngineUnavailable, _) => {
            "the engine lacks a feature, or has an implementation limit"
        }
        (ErrorKind::Grant, _) => "the engine cannot grant a capability",
        _ => return None,
    };
    Some(format!("{reason} ({})", error.message))
}
