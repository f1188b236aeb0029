//! The body of a response, as a block of the plug-in.

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};

use crate::extism::blocks::Blocks;
use crate::http_client::HttpError;
use crate::runtime::host::HostError;
use crate::runtime::memory_budget::MemoryBudget;

/// Receives a body. Memory is taken from the budget before it is used.
pub(super) struct Receiver<'b> {
    pub(super) blocks: &'b mut Blocks,
    pub(super) memory: &'b MemoryBudget,
    /// The maximum size of a body in bytes.
    pub(super) max: u64,
}

impl Receiver<'_> {
    /// Reads a body to its end, and returns the offset of its block; 0 if it is empty.
    pub(super) async fn receive(&mut self, mut body: Incoming) -> Result<u64, HostError> {
        self.check(body.size_hint().lower())?;
        let (mut offset, mut length) = (0, 0);
        while let Some(frame) = body.frame().await {
            let Ok(bytes) = frame.map_err(HttpError::from)?.into_data() else { continue };
            length += bytes.len() as u64;
            self.check(length)?;
            offset =
                self.append(offset, &bytes).ok_or_else(|| format!("no memory for {length} bytes of the response"))?;
        }
        Ok(offset)
    }

    fn append(&mut self, offset: u64, bytes: &Bytes) -> Option<u64> {
        if bytes.is_empty() { Some(offset) } else { self.blocks.extend(offset, bytes, self.memory) }
    }

    fn check(&self, length: u64) -> Result<(), HostError> {
        let max = self.max;
        if length > max { Err(format!("the response has more than {max} bytes").into()) } else { Ok(()) }
    }
}
