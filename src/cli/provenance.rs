//! Values with the place they come from: a flag, the policy file, the environment or a default.

use serde::Serialize;

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Provenance {
    Default,
    Environment,
    Policy,
    Flag,
}

/// A value and where it comes from.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct WithProvenance<T> {
    pub(crate) value: T,
    pub(crate) from: Provenance,
}

impl<T> WithProvenance<T> {
    pub(crate) fn new(value: T, from: Provenance) -> Self {
        Self { value, from }
    }

    /// Converts the value.
    pub(crate) fn map<U>(self, convert: impl FnOnce(T) -> U) -> WithProvenance<U> {
        WithProvenance::new(convert(self.value), self.from)
    }
}
