//! A plug-in's memory, for host functions of the embedder.

use std::any::Any;
use std::sync::Arc;

use super::state::PluginHost;
use crate::error::{Error, ErrorKind, Result};
use crate::runtime::host::{HostContext, InterruptToken};
use crate::runtime::plugin::Plugin;

/// The memory that an Extism plug-in shares with its host, for a host function that the plug-in calls. A plug-in passes bytes
/// as the offset of a block, an `i64`; 0 stands for no bytes.
#[derive(Clone, Debug)]
pub struct PluginMemory {
    plugin: Arc<dyn Plugin>,
    token: InterruptToken,
}

impl PluginMemory {
    /// Returns the memory of the plug-in that calls a host function, or `None` if the guest is not a plug-in.
    #[must_use]
    pub fn of(context: &dyn HostContext) -> Option<Self> {
        let token = context.interrupt_token();
        let plugin = Arc::clone(token.status().plugin()?);
        Some(Self { plugin, token })
    }

    /// Returns the bytes of the block at `offset`, and none for the offset 0.
    ///
    /// # Errors
    /// [`ErrorKind::MemoryAccess`] if there is no block at this offset.
    pub fn read(&self, offset: u64) -> Result<Vec<u8>> {
        if offset == 0 {
            return Ok(Vec::new());
        }
        let state = self.host()?.state();
        state.blocks.block(offset).map(<[u8]>::to_vec).ok_or_else(|| no_block(offset))
    }

    /// Overwrites the start of the block at `offset`.
    ///
    /// # Errors
    /// [`ErrorKind::MemoryAccess`] if there is no block at this offset, or it is shorter than `bytes`. Writes nothing then.
    pub fn write(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        let mut state = self.host()?.state();
        let block = state.blocks.block_mut(offset).and_then(|block| block.get_mut(..bytes.len()));
        block.ok_or_else(|| no_block(offset))?.copy_from_slice(bytes);
        Ok(())
    }

    /// Allocates a block with these bytes, and returns its offset; 0 if there are none. The plug-in frees it.
    ///
    /// # Errors
    /// [`ErrorKind::Limit`] if the plug-in has not enough memory left.
    pub fn allocate(&self, bytes: &[u8]) -> Result<u64> {
        let offset = self.host()?.state().blocks.insert(bytes, self.token.status().memory());
        offset
            .ok_or_else(|| Error::new(ErrorKind::Limit, format!("the plug-in has no memory for {} bytes", bytes.len())))
    }

    /// Frees the block at `offset`, if there is one.
    ///
    /// # Errors
    /// Fails only because of a bug in wrun.
    pub fn free(&self, offset: u64) -> Result<()> {
        self.host()?.state().blocks.free(offset);
        Ok(())
    }

    fn host(&self) -> Result<&PluginHost> {
        let plugin: &dyn Any = &*self.plugin;
        plugin.downcast_ref().ok_or_else(|| Error::new(ErrorKind::Internal, "the plug-in has another kind of host"))
    }
}

fn no_block(offset: u64) -> Error {
    Error::new(ErrorKind::MemoryAccess, format!("the plug-in has no block of this size at {offset:#x}"))
}
