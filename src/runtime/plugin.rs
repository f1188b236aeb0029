//! The host's part of Extism plug-ins: modules whose functions have no parameters, but take input and return output through
//! memory of the host.

use std::any::Any;
use std::fmt::Debug;

use crate::error::Result;
use crate::runtime::memory_budget::MemoryBudget;

/// The host's part of a plug-in's instance: its input, output and error message.
pub(crate) trait Plugin: Any + Debug + Send + Sync {
    /// Frees the memory of the last call, and sets the input of the next.
    ///
    /// # Errors
    /// [`ErrorKind::Limit`](crate::ErrorKind::Limit) if the input does not fit into `memory`.
    fn begin(&self, memory: &MemoryBudget, input: &[u8]) -> Result<()>;

    /// Returns the output of the call.
    fn output(&self) -> Vec<u8>;

    /// Returns the error message that the plug-in has set during the call: its first `max` bytes, and its length.
    fn error(&self, max: usize) -> Option<(Vec<u8>, u64)>;
}
