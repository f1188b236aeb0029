//! Why a command fails: an error of the library, of a file, or of the arguments.

use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;

use serde::Serialize;
use wrun::escape::EscapedPath;
use wrun::{Error, ErrorKind};

use super::exit_code;

/// An error of a command, as it is reported.
#[derive(Debug, Serialize)]
pub(crate) struct Failure {
    /// The envelope's `error.kind`.
    pub(crate) kind: &'static str,
    #[serde(skip)]
    pub(crate) exit_code: u8,
    pub(crate) message: String,
    pub(crate) hints: Vec<String>,
    /// The error of the library that caused it.
    #[serde(skip)]
    pub(crate) error: Option<Error>,
}

impl Failure {
    /// The kinds that only the command line has.
    pub(crate) const KINDS: [&str; 3] = ["module_not_found", "terminated", "usage"];

    pub(crate) fn new(kind: &'static str, exit_code: u8, message: String) -> Self {
        debug_assert!(Self::KINDS.contains(&kind) || ErrorKind::ALL.iter().any(|one| one.as_str() == kind), "{kind}");
        Self { kind, exit_code, message, hints: Vec::new(), error: None }
    }

    /// A usage error: a bad flag, argument, variable or policy file.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new("usage", exit_code::USAGE, message.into())
    }

    pub(crate) fn both_from_stdin() -> Self {
        Self::usage("the module and its arguments cannot both come from standard input")
            .hint("give the arguments on the command line, or the module as a file")
    }

    /// The module's file cannot be read.
    pub(crate) fn module(path: &Path, error: &io::Error) -> Self {
        let shown = EscapedPath(path);
        if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) {
            return Self::new("module_not_found", exit_code::NOT_FOUND, format!("no such module file: {shown}"));
        }
        let failure = Self::io(&format!("cannot read the module {shown}"), error);
        match error.kind() {
            // Trying again does not help.
            io::ErrorKind::IsADirectory | io::ErrorKind::PermissionDenied => {
                Self { exit_code: exit_code::CANNOT_RUN, ..failure }
            }
            _ => failure,
        }
    }

    /// An I/O error. `context` says what failed, as in "cannot write to standard output".
    pub(crate) fn io(context: &str, error: &io::Error) -> Self {
        Self::new("io", exit_code::INTERNAL, format!("{context}: {error}"))
    }

    /// Adds the file to a message of the library, which knows no file names.
    pub(crate) fn about(mut self, path: &Path) -> Self {
        if self.error.is_some() {
            self.message = format!("{}: {}", EscapedPath(path), self.message);
        }
        self
    }

    /// Adds a hint: something the user can do.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let mut hints = error.hints().to_vec();
        if let (ErrorKind::Trap, Some(denied)) = (error.kind(), error.limit_exceeded()) {
            hints.push(format!("the guest {denied}; it trapped after the growth was denied"));
        }
        Self {
            kind: error.kind().as_str(),
            exit_code: exit_code::of(&error),
            message: error.message().to_owned(),
            hints,
            error: Some(error),
        }
    }
}

/// Runs `work`, and turns a panic (a bug in wrun or an engine) into a failure.
pub(crate) fn catch_panic<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let error = Error::of_panic("internal error", panic.as_ref());
        let is_bug = error.kind() == ErrorKind::Internal;
        let failure = Failure::from(error);
        Err(if is_bug { failure.hint("please report it with the module and the command") } else { failure })
    })
}
