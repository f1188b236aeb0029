//! The limits that each engine enforces, and their scope.

use serde::Serialize;
use strum::VariantArray;

use crate::engine::kind::RuntimeKind;

/// A limit that the engines enforce.
#[derive(Clone, Copy, Debug, PartialEq, Eq, VariantArray, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EnforcedLimit {
    /// [`Limits::memory`](crate::Limits::memory).
    Memory,
    /// [`Limits::table_elements`](crate::Limits::table_elements).
    TableElements,
    /// [`RuntimeConfig::max_stack`](crate::RuntimeConfig::max_stack).
    Stack,
    /// [`Limits::fuel`](crate::Limits::fuel).
    Fuel,
    /// [`Limits::time`](crate::Limits::time), and [`Control::interrupt`](crate::Control::interrupt).
    Time,
    /// [`Control::pause`](crate::Control::pause).
    Pause,
}

impl EnforcedLimit {
    /// All limits.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// Returns the scope in which an engine enforces the limit, as text.
    #[must_use]
    pub const fn scope(self, kind: RuntimeKind) -> &'static str {
        match (self, kind) {
            (Self::Memory, _) => "all memories of an instance",
            (Self::Fuel | Self::Time, _) => "all calls of an instance",
            (Self::Pause, RuntimeKind::Wasmtime) => "at function entries, loop iterations and host calls",
            (Self::Pause, RuntimeKind::Wasmer) => "at host calls, and before a call",
            (Self::TableElements, RuntimeKind::Wasmtime) => "each table of a module, all tables of a component",
            (Self::TableElements, RuntimeKind::Wasmer) => "each table of an instance",
            (Self::Stack, RuntimeKind::Wasmtime) => "each runtime",
            (Self::Stack, RuntimeKind::Wasmer) => "one size per process, other sizes are refused",
        }
    }
}
