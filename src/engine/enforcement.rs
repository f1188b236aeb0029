//! What each engine holds a guest to, and in what scope.

use serde::Serialize;

use crate::engine::kind::RuntimeKind;

/// Something a guest can be held to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
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
    /// Every one of them.
    pub const ALL: &'static [Self] =
        &[Self::Memory, Self::TableElements, Self::Stack, Self::Fuel, Self::Time, Self::Pause];

    /// The scope in which an engine enforces it.
    #[must_use]
    pub const fn scope(self, kind: RuntimeKind) -> &'static str {
        match (self, kind) {
            (Self::Memory, _) => "all memories of an instance",
            (Self::Fuel | Self::Time, _) => "all calls of an instance",
            (Self::Pause, RuntimeKind::Wasmtime) => "at a function's entry, a loop's next round, a host call",
            (Self::Pause, RuntimeKind::Wasmer) => "at a call or a host call",
            (Self::TableElements, _) => "each table of an instance",
            (Self::Stack, RuntimeKind::Wasmtime) => "each runtime",
            (Self::Stack, RuntimeKind::Wasmer) => "one size in a process, others refused",
        }
    }
}
