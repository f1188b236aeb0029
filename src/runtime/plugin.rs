//! Extism plug-ins: modules whose functions have no parameters, but take input and return output through memory of the host.

use std::any::Any;
use std::fmt::Debug;

use crate::error::Result;
use crate::module::info::ModuleInfo;
use crate::module::requirements;
use crate::runtime::memory_budget::MemoryBudget;
use crate::value::types::{FuncType, ValType};

/// Exports that set a module up, and are not functions of the plug-in.
const INITIALIZERS: [&str; 2] = ["_initialize", "__wasm_call_ctors"];

/// The host's part of a plug-in's instance: its input, output and error message.
pub(crate) trait Plugin: Any + Debug + Send + Sync {
    /// Frees the memory of the last call, and sets the input of the next.
    ///
    /// # Errors
    /// [`ErrorKind::Limit`](crate::ErrorKind::Limit) if the input does not fit into `memory`.
    fn begin(&self, memory: &MemoryBudget, input: &[u8]) -> Result<()>;

    /// Returns the output of the call.
    fn output(&self) -> Vec<u8>;

    /// Returns the error message that the plug-in has set during the call.
    fn error(&self) -> Option<Vec<u8>>;
}

/// Returns whether an export is a function of an Extism plug-in.
#[must_use]
pub fn is_plugin_function(info: &ModuleInfo, name: &str) -> bool {
    requirements::imports_extism(info) && !INITIALIZERS.contains(&name) && info.function(name).is_some_and(takes_input)
}

/// Returns whether a function has the type of a plug-in's function: `() -> i32`, or `() -> ()`.
#[must_use]
pub fn takes_input(ty: &FuncType) -> bool {
    ty.params().is_empty() && matches!(ty.results(), [] | [ValType::I32])
}
