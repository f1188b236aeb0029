//! Finds the functions of a component by name.

use std::fmt;

use crate::component::info::{ComponentInfo, ComponentItem};
use crate::component::similar::most_similar;
use crate::component::types::{Name, WitFunction};
use crate::error::{Error, ErrorKind, Result};
use crate::escape::Escaped;

/// The maximum number of lines of a list in a message.
const MAX_LISTED: usize = 40;

/// An exported function, and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FunctionPath {
    /// The interface that has it; `None` for a function that the component exports by itself.
    pub interface: Option<Name>,
    /// Its name in the component: `total`, or `[method]basket.add`.
    pub function: Name,
    /// Its type.
    pub ty: WitFunction,
}

/// Formats the full name: `demo:shop/till@1.2.0#total`.
impl fmt::Display for FunctionPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(interface) = &self.interface {
            write!(f, "{}#", Escaped(interface))?;
        }
        write!(f, "{}", Escaped(&self.function))
    }
}
