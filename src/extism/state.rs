//! The host's part of one instance of a plug-in.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::blocks::{Blocks, MAX_BYTES};
use super::client::Client;
use super::options::PluginOptions;
use super::variables::Variables;
use crate::error::{Error, Result};
use crate::limits::{LimitExceeded, LimitKind};
use crate::network::NetRule;
use crate::runtime::memory_budget::MemoryBudget;
use crate::runtime::plugin::Plugin;

/// The memory, the variables and the configuration of one instance.
#[derive(Debug)]
pub(super) struct PluginHost {
    pub(super) options: PluginOptions,
    state: Mutex<PluginState>,
}

/// The state that host functions change.
#[derive(Debug)]
pub(super) struct PluginState {
    pub(super) blocks: Blocks,
    pub(super) variables: Variables,
    pub(super) input: Span,
    pub(super) output: Span,
    /// The error message, if it is set.
    pub(super) error: Option<Span>,
    #[cfg_attr(not(feature = "http"), allow(dead_code, reason = "only requests use it"))]
    pub(super) client: Client,
    pub(super) response: Response,
}

/// The head of the last HTTP response.
#[derive(Debug, Default)]
pub(super) struct Response {
    /// The status code, or 0 if there was no response.
    pub(super) status: u16,
    /// The headers as JSON.
    pub(super) headers: Option<String>,
}

/// A range of the plug-in's memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) offset: u64,
    pub(super) length: u64,
}

impl PluginHost {
    /// Creates the host of an instance whose HTTP requests follow these rules.
    pub(super) fn new(options: PluginOptions, rules: &[NetRule]) -> Self {
        let state = PluginState {
            blocks: Blocks::default(),
            variables: Variables::default(),
            input: Span::default(),
            output: Span::default(),
            error: None,
            client: Client::new(rules),
            response: Response::default(),
        };
        Self { options, state: Mutex::new(state) }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, PluginState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PluginState {
    /// Frees all blocks. Input, output and error message are gone.
    pub(super) fn reset(&mut self, memory: &MemoryBudget) {
        self.blocks.reset(memory);
        (self.input, self.output, self.error) = (Span::default(), Span::default(), None);
    }

    fn bytes(&self, span: Span) -> Vec<u8> {
        self.blocks.range(span.offset, span.length).unwrap_or_default().to_vec()
    }
}

impl Plugin for PluginHost {
    fn begin(&self, memory: &MemoryBudget, input: &[u8]) -> Result<()> {
        let mut state = self.state();
        state.reset(memory);
        state.response = Response::default();
        memory.forget_denied();
        let length = input.len() as u64;
        let offset = state.blocks.insert(input, memory).ok_or_else(|| {
            let exceeded =
                LimitExceeded::new(LimitKind::Memory, MAX_BYTES, state.blocks.taken().saturating_add(length));
            Error::limit(memory.denied().unwrap_or(exceeded))
        })?;
        state.input = Span { offset, length };
        Ok(())
    }

    fn output(&self) -> Vec<u8> {
        let state = self.state();
        state.bytes(state.output)
    }

    fn error(&self, max: usize) -> Option<(Vec<u8>, u64)> {
        let state = self.state();
        let error = state.error?;
        let start = Span { length: error.length.min(max as u64), ..error };
        Some((state.bytes(start), error.length))
    }
}
