//! Counts the outcomes of directives.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Write as _;

use wrun::{Compiler, Feature, RuntimeKind};

/// The outcome of a directive.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// The directive passed.
    Passed,
    /// The directive was not run, or not completely.
    Skipped(Skip),
    /// The directive failed; the text says how.
    Failed(String),
}

/// The reason for skipping a directive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Skip {
    /// It imports from another module of the script, but every instance is a separate sandbox.
    AnotherModule,
    /// It needs features that the engine lacks.
    Lacks(Vec<Feature>),
    /// It takes or returns values of unsupported types.
    ValueType,
    /// It asserts that a module is invalid, but later features made it valid.
    SinceValid(Vec<Feature>),
    /// It starts or waits for a thread.
    Thread,
    /// It is an assertion about custom sections, which no engine checks, or about stack switching, which no engine has.
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
    /// The place and the message of each failure.
    pub(crate) failures: Vec<String>,
    /// The places of the listed defects that were seen.
    pub(crate) defects_seen: Vec<String>,
}

impl Tally {
    /// Counts one directive. A listed defect that passes is a failure, so that the list is kept current.
    pub(crate) fn count(&mut self, place: &str, outcome: Outcome, defect: Option<&str>) {
        match (outcome, defect) {
            (Outcome::Failed(_), Some(_)) => self.defects_seen.push(place.to_owned()),
            (Outcome::Failed(why), None) => self.failures.push(format!("{place}: {why}")),
            (_, Some(reason)) => {
                self.defects_seen.push(place.to_owned());
                self.failures.push(format!("{place}: passes now; remove it from defects.rs ({reason})"));
            }
            (Outcome::Passed, None) => self.passed += 1,
            (Outcome::Skipped(skip), None) => *self.skipped.entry(skip.to_string()).or_default() += 1,
        }
    }

    fn run(&self) -> usize {
        self.passed + self.failures.len() + self.defects_seen.len()
    }

    /// Formats the counts as an entry of `pins.rs`.
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

/// Prints to standard error directly, because the test harness hides what passing tests print.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
