//! Why a value does not fit its type, and where in the value.

use std::fmt;

use crate::component::types::Name;
use crate::error::{Error, ErrorKind};
use crate::escape::Escaped;

/// The deepest nesting of types that values are read and written for. A component with deeper types is invalid.
pub(crate) const MAX_DEPTH: usize = 100;

/// Why a part of a value was refused, and the path to this part. Functions add their step while they return the failure, so a value
/// that fits costs nothing.
#[derive(Debug)]
pub(crate) struct Failure(Box<Details>);

#[derive(Debug)]
struct Details {
    message: String,
    hint: Option<String>,
    /// From the inside out.
    path: Vec<Step>,
}

/// Why a text was not read as a value.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// It is not of the format.
    Syntax(String),
    /// It is, but does not fit the type.
    Value(Failure),
}

impl Refusal {
    pub(crate) fn into_failure(self) -> Failure {
        match self {
            Self::Syntax(reason) => Failure::new(format!("the value is not valid JSON: {reason}")),
            Self::Value(failure) => failure,
        }
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self::Value(failure)
    }
}

/// One step of a path into a value.
#[derive(Debug)]
pub(crate) enum Step {
    /// A field of a record, or the payload of a case.
    Name(Name),
    /// The payload of `ok`, `err` or `some`.
    Payload(&'static str),
    /// An element of a list or a tuple, from 0.
    Index(usize),
    /// The value of a key in a map.
    Key(String),
    /// Any element of a list, in the path into a type. It is not displayed.
    Any,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, ".{}", Escaped(name)),
            Self::Payload(case) => write!(f, ".{case}"),
            Self::Index(index) => write!(f, "[{index}]"),
            Self::Any => Ok(()),
            Self::Key(key) if key.is_empty() => f.write_str("[\"\"]"),
            Self::Key(key) => write!(f, "[\"{}\"]", Escaped(key)),
        }
    }
}

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(Box::new(Details { message: message.into(), hint: None, path: Vec::new() }))
    }

    /// The failure for a type that is nested deeper than [`MAX_DEPTH`].
    pub(crate) fn too_deep() -> Self {
        Self::new(format!("the type is nested deeper than {MAX_DEPTH} levels"))
    }

    #[must_use]
    pub(crate) fn with_hint(mut self, hint: Option<String>) -> Self {
        self.0.hint = hint.or(self.0.hint);
        self
    }

    /// Adds the step that leads to the part that failed.
    #[must_use]
    pub(crate) fn at(mut self, step: Step) -> Self {
        self.0.path.push(step);
        self
    }

    /// Makes an error whose message begins with the path: `items[3].qty: 7000000000 is out of range for u32`.
    pub(crate) fn into_error(self) -> Error {
        let path = self.path();
        let message = if path.is_empty() { self.0.message.clone() } else { format!("{path}: {}", self.0.message) };
        self.error(ErrorKind::InvalidArgument, message)
    }

    /// Makes an error for the type of a part of a function: ``parameter `all` contains the resource `counter`, …``.
    pub(crate) fn into_error_in_type(self, part: &str) -> Error {
        let path = self.path();
        let place = if path.is_empty() { String::new() } else { format!(" (in `{path}`)") };
        let message = format!("{part} {}{place}", self.0.message);
        self.error(ErrorKind::UnsupportedFeature, message)
    }

    fn path(&self) -> String {
        let steps: String = self.0.path.iter().rev().map(Step::to_string).collect();
        steps.strip_prefix('.').unwrap_or(&steps).to_owned()
    }

    fn error(self, kind: ErrorKind, message: String) -> Error {
        let error = Error::new(kind, message);
        match self.0.hint {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }
}
