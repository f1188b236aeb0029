//! A failure of the command: the library's, or one of files and flags.

use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::time::Duration;

use wrun::{Error, LimitExceeded, LimitKind};

use super::exit_code;
use super::supervisor::Ending;

/// Why the command did not do what was asked.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The name in the envelope's `error.kind`.
    pub(crate) kind: &'static str,
    pub(crate) exit_code: u8,
    pub(crate) message: String,
    pub(crate) hints: Vec<String>,
    /// The library's error, where it is one.
    pub(crate) error: Option<Error>,
}

impl Failure {
    fn new(kind: &'static str, exit_code: u8, message: String) -> Self {
        Self { kind, exit_code, message, hints: Vec::new(), error: None }
    }

    /// What was typed cannot be meant.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new("usage", exit_code::USAGE, message.into())
    }

    pub(crate) fn both_from_stdin() -> Self {
        Self::usage("the module and its arguments cannot both come from standard input")
            .hint("give the arguments on the command line, or the module as a file")
    }

    /// The module's file cannot be had.
    pub(crate) fn module(path: &Path, error: &io::Error) -> Self {
        let shown = path.display();
        if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) {
            return Self::new("module_not_found", exit_code::NOT_FOUND, format!("no such module file: {shown}"));
        }
        Self::io(&format!("cannot read the module {shown}"), error)
    }

    /// The process is made to end, while it was at `phase`.
    pub(crate) fn ended(ending: Ending, phase: &str, timeout: Option<Duration>, taken: Duration) -> Self {
        let nanoseconds = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        match ending {
            Ending::TimedOut => {
                let limit = timeout.unwrap_or_default();
                let exceeded = LimitExceeded::new(LimitKind::Time, nanoseconds(limit), nanoseconds(taken));
                let message = format!("the time was up after {limit:?}, while {phase}");
                Self { message, ..Error::timeout(exceeded).into() }
            }
            Ending::Interrupted => {
                Self::new("interrupted", exit_code::INTERRUPTED, format!("interrupted while {phase}"))
            }
            Ending::Terminated => Self::new("terminated", exit_code::TERMINATED, format!("terminated while {phase}")),
        }
    }

    /// Something of the system's failed.
    pub(crate) fn io(what: &str, error: &io::Error) -> Self {
        Self::new("io", exit_code::INTERNAL, format!("{what}: {error}"))
    }

    /// The same, where it is told what it is about, if the library failed: that does not know names of files.
    pub(crate) fn about(mut self, path: &Path) -> Self {
        if self.error.is_some() {
            self.message = format!("{}: {}", path.display(), self.message);
        }
        self
    }

    /// The same with one more thing the user can do.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self {
            kind: error.kind().as_str(),
            exit_code: exit_code::of(&error),
            message: error.message().to_owned(),
            hints: error.hints().to_vec(),
            error: Some(error),
        }
    }
}

/// Runs a part of the command, and turns a panic in it (a bug of wrun's or an engine's) into a failure.
pub(crate) fn guard<T>(part: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    panic::catch_unwind(AssertUnwindSafe(part)).unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let said = said.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
        let failure = Failure::new("internal", exit_code::INTERNAL, format!("this is a bug: {said}"));
        Err(failure.hint("please report it, with the module and the command"))
    })
}
