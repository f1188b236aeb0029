//! Counts the outcomes of directives.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Write as _;

use wrun::{Compiler, Feature, RuntimeKind};

/// The outcome of one directive.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// It did what it must.
    Passed,
    /// It was not run, or not completely.
    Skipped(Skip),
    /// It did something else, which the text describes.
    Failed(String),
}

/// The reason for skipping a directive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Skip {
    /// It imports from another module of the script, but each instance of wrun is a separate sandbox.
    AnotherModule,
    /// It needs features that the engine lacks.
    Lacks(Vec<Feature>),
    /// It takes or returns values that cannot pass between host and guest.
    ValueType,
    /// It asserts a module as invalid that features later than its suite made valid.
    SinceValid(Vec<Feature>),
    /// It starts or waits for a thread.
    Thread,
    /// It is about custom sections, which no engine reads, or suspended stacks, which no engine supports.
    OtherAssertion,
    /// The module that it calls failed, which is counted there.
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

/// The outcomes of all directives on one engine.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// The number of files.
    pub(crate) files: usize,
    passed: usize,
    skipped: BTreeMap<String, usize>,
    /// The place and description of each failure.
    pub(crate) failures: Vec<String>,
    /// The places of listed defects that were run.
    pub(crate) defects_seen: Vec<String>,
}

impl Tally {
    /// Counts one directive. A listed defect that no longer fails is a failure, so that it is removed from the list.
    pub(crate) fn count(&mut self, place: &str, outcome: Outcome, defect: Option<&str>) {
        match (outcome, defect) {
            (Outcome::Failed(_), Some(_)) => self.defects_seen.push(place.to_owned()),
            (Outcome::Failed(why), None) => self.failures.push(format!("{place}: {why}")),
            (_, Some(reason)) => {
                self.defects_seen.push(place.to_owned());
                self.failures.push(format!("{place}: no longer fails; remove it from defects.rs ({reason})"));
            }
            (Outcome::Passed, None) => self.passed += 1,
            (Outcome::Skipped(skip), None) => *self.skipped.entry(skip.to_string()).or_default() += 1,
        }
    }

    fn run(&self) -> usize {
        self.passed + self.failures.len() + self.defects_seen.len()
    }

    /// Returns the counts as an entry of `pins.rs`.
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

/// Prints to standard error, bypassing the test harness, which hides the output of passing tests.
pub(crate) fn print(text: &str) {
    // If standard error is closed, only the report is lost.
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
