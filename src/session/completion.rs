//! How a call ended.

use crate::error::{Error, Result};
use crate::runtime::call::CallResult;

/// How a guest ended without an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Completion {
    /// The function returned.
    Returned(CallResult),
    /// The guest exited with this code.
    Exited(i32),
}

impl Completion {
    /// Returns the exit of a guest that ended a call, or instantiation, by exiting.
    ///
    /// # Errors
    /// `error` itself if it is anything else.
    pub fn from_error(error: Error) -> Result<Self> {
        error.exit_code().map(Self::Exited).ok_or(error)
    }
}
