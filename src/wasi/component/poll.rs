//! `wasi:io/poll`, which limits how much a guest polls at once: a call cannot be interrupted before it waits.

use wasmtime::component::{HasData, Resource, ResourceTable};
use wasmtime::{Result, bail};
use wasmtime_wasi::p2::DynPollable;
use wasmtime_wasi_io::bindings::wasi::io::poll::{Host, HostPollable};

use crate::wasi::poll::MAX_SUBSCRIPTIONS;

/// The interface.
pub(super) struct BoundedPoll;

/// What the interface needs.
pub(super) struct PollView<'a>(&'a mut ResourceTable);

impl HasData for BoundedPoll {
    type Data<'a> = PollView<'a>;
}

impl<'a> From<&'a mut ResourceTable> for PollView<'a> {
    fn from(table: &'a mut ResourceTable) -> Self {
        Self(table)
    }
}

impl Host for PollView<'_> {
    async fn poll(&mut self, pollables: Vec<Resource<DynPollable>>) -> Result<Vec<u32>> {
        if pollables.len() > MAX_SUBSCRIPTIONS as usize {
            bail!("{} pollables in one call are more than {MAX_SUBSCRIPTIONS}", pollables.len());
        }
        self.0.poll(pollables).await
    }
}

impl HostPollable for PollView<'_> {
    async fn ready(&mut self, pollable: Resource<DynPollable>) -> Result<bool> {
        self.0.ready(pollable).await
    }

    async fn block(&mut self, pollable: Resource<DynPollable>) -> Result<()> {
        self.0.block(pollable).await
    }

    fn drop(&mut self, pollable: Resource<DynPollable>) -> Result<()> {
        HostPollable::drop(self.0, pollable)
    }
}
