//! The books: what came of each directive, counted.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Write as _;

use wrun::{Compiler, Feature, RuntimeKind};

/// What came of one directive.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// It did what it had to.
    Passed,
    /// It was not run, or not to the end.
    Skipped(Skip),
    /// It did not do what it had to; the text says what it did.
    Failed(String),
}

/// Why a directive was not run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Skip {
    /// It imports what another module of the script exports; instances of the contract are separate sandboxes.
    AnotherModule,
    /// The engine lacks features it needs.
    Lacks(Vec<Feature>),
    /// It takes or returns values that the contract does not pass.
    ValueType,
    /// It asserts as invalid what features later than its suite made valid.
    SinceValid(Vec<Feature>),
    /// It starts or awaits a thread.
    Thread,
    /// It asserts something of custom sections, which no engine looks at, or of suspended stacks, which none has.
    OtherAssertion,
    /// The module it calls failed, which is counted there.
    ModuleFailed,
}

impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |features: &[Feature]| features.iter().map(|one| one.as_str()).collect::<Vec<_>>().join(", ");
        match self {
            Self::AnotherModule => f.write_str("needs another module"),
            Self::Lacks(features) => write!(f, "lacks {}", names(features)),
            Self::ValueType => f.write_str("value of a type wrun does not pass"),
            Self::SinceValid(features) => write!(f, "made valid by {}", names(features)),
            Self::Thread => f.write_str("script threads"),
            Self::OtherAssertion => f.write_str("custom sections and suspensions"),
            Self::ModuleFailed => f.write_str("its module failed"),
        }
    }
}

/// Everything that came of the directives on one engine.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Files run.
    pub(crate) files: usize,
    passed: usize,
    skipped: BTreeMap<String, usize>,
    /// Where failures were, and what happened.
    pub(crate) failures: Vec<String>,
    /// Where listed defects of the engine were met.
    pub(crate) defects_seen: Vec<String>,
}

impl Tally {
    /// Counts one directive. A listed defect that does not fail is a failure: the list may only shrink.
    pub(crate) fn count(&mut self, place: &str, outcome: Outcome, defect: Option<&str>) {
        match (outcome, defect) {
            (Outcome::Failed(_), Some(_)) => self.defects_seen.push(place.to_owned()),
            (Outcome::Failed(why), None) => self.failures.push(format!("{place}: {why}")),
            (_, Some(reason)) => {
                self.defects_seen.push(place.to_owned());
                self.failures.push(format!("{place}: fails no more; take it from defects.rs ({reason})"));
            }
            (Outcome::Passed, None) => self.passed += 1,
            (Outcome::Skipped(skip), None) => *self.skipped.entry(skip.to_string()).or_default() += 1,
        }
    }

    fn run(&self) -> usize {
        self.passed + self.failures.len() + self.defects_seen.len()
    }

    /// The counts, as an entry of `pins.rs`.
    pub(crate) fn as_pin(&self, kind: RuntimeKind, compiler: Compiler) -> String {
        let skipped: Vec<_> = self.skipped.iter().map(|(why, number)| (why.as_str(), *number)).collect();
        let pin = crate::pins::Pin {
            kind,
            compiler,
            files: self.files,
            run: self.run(),
            passed: self.passed,
            skipped: &skipped,
        };
        pin.to_string()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (run, skipped) = (self.run(), self.skipped.values().sum::<usize>());
        let Self { files, passed, .. } = self;
        write!(f, "{files} files, {run} directives run, {passed} passed, {} failed, ", self.failures.len())?;
        write!(f, "{} known defects of the engine, {skipped} skipped", self.defects_seen.len())?;
        self.skipped.iter().try_for_each(|(why, number)| write!(f, "\n  {number:>6} skipped: {why}"))
    }
}

/// Prints past the test harness, which keeps what passing tests print to itself.
pub(crate) fn say(text: &str) {
    // Nothing is lost with a closed standard error but the report.
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
