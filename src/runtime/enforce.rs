//! What each engine holds a guest to, and in what scope.

use serde::Serialize;

use crate::runtime::kind::RuntimeKind;

/// Something a guest can be held to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Restraint {
    /// [`Limits::memory`](crate::Limits::memory).
    Memory,
    /// [`Limits::table_elements`](crate::Limits::table_elements).
    TableElements,
    /// [`RuntimeConfig::max_stack`](crate::RuntimeConfig::max_stack).
    Stack,
    /// [`Limits::fuel`](crate::Limits::fuel).
    Fuel,
}

impl Restraint {
    /// Every one of them.
    pub const ALL: &'static [Self] = &[Self::Memory, Self::TableElements, Self::Stack, Self::Fuel];

    /// The option that sets it.
    #[must_use]
    pub const fn option(self) -> &'static str {
        match self {
            Self::Memory => "--memory",
            Self::TableElements => "--table-elements",
            Self::Stack => "--stack",
            Self::Fuel => "--fuel",
        }
    }

    /// The scope in which an engine enforces it.
    #[must_use]
    pub const fn scope(self, kind: RuntimeKind) -> &'static str {
        match (self, kind) {
            (Self::Memory, _) => "all memories of an instance",
            (Self::Fuel, _) => "all calls of an instance",
            (Self::TableElements, _) => "each table of an instance",
            (Self::Stack, RuntimeKind::Wasmtime) => "each runtime",
            (Self::Stack, RuntimeKind::Wasmer) => "one size in a process, others refused",
        }
    }
}
