//! The body of a response, as a block of the plug-in.

use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};

use crate::extism::blocks::Blocks;
use crate::http_client::HttpError;
use crate::runtime::host::HostError;
use crate::runtime::memory_budget::MemoryBudget;

/// Receives a body. Memory is taken from the budget before it is used.
pub(super) struct Receiver<'b> {
    blocks: &'b mut Blocks,
    memory: &'b MemoryBudget,
    /// The maximum size of a body in bytes.
    max: u64,
    /// The bytes received so far, outside the blocks.
    bytes: Vec<u8>,
    /// The memory taken for them.
    taken: u64,
}

impl<'b> Receiver<'b> {
    pub(super) fn new(blocks: &'b mut Blocks, memory: &'b MemoryBudget, max: u64) -> Self {
        Self { blocks, memory, max, bytes: Vec::new(), taken: 0 }
    }

    /// Reads a body to its end, and returns the offset of a block with its bytes; 0 if it is empty.
    pub(super) async fn receive(&mut self, mut body: Incoming) -> Result<u64, HostError> {
        self.check(body.size_hint().lower())?;
        while let Some(frame) = body.frame().await {
            let Ok(bytes) = frame.map_err(HttpError::from)?.into_data() else { continue };
            let length = self.taken + bytes.len() as u64;
            self.check(length)?;
            if !self.memory.take(bytes.len() as u64) {
                return Err(no_memory(length));
            }
            self.taken = length;
            // The system may refuse memory.
            self.bytes.try_reserve(bytes.len()).map_err(|_| no_memory(length))?;
            self.bytes.extend_from_slice(&bytes);
        }
        self.blocks.insert(&self.bytes, self.memory).ok_or_else(|| no_memory(self.taken))
    }

    fn check(&self, length: u64) -> Result<(), HostError> {
        let max = self.max;
        if length > max { Err(format!("the response has more than {max} bytes").into()) } else { Ok(()) }
    }
}

impl Drop for Receiver<'_> {
    fn drop(&mut self) {
        self.memory.release(self.taken);
    }
}

fn no_memory(length: u64) -> HostError {
    format!("no memory for {length} bytes of the response").into()
}
