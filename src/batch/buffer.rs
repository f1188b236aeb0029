//! Buffers that are used again.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};

/// Buffers that were used, for the threads of one batch. Memory that one thread allocates and another frees is slow: the allocator
/// returns it to the system, which clears it for the next allocation.
#[derive(Clone, Debug, Default)]
pub(super) struct Buffers {
    spare: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Buffers {
    /// The maximum number of buffers that are kept.
    const MAX_SPARE: usize = 16;
    /// The smallest buffer that is kept. Small ones are fast to allocate.
    const MIN_CAPACITY: usize = 16 << 10;
    /// The largest buffer that is kept.
    const MAX_CAPACITY: usize = 256 << 10;

    /// Returns an empty buffer, which probably has room for a large output.
    pub(super) fn take(&self) -> Buffer {
        let bytes = self.spare.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Buffer { bytes: bytes.unwrap_or_default(), buffers: self.clone() }
    }

    /// Copies bytes to a buffer.
    pub(super) fn copy(&self, bytes: &[u8]) -> Buffer {
        if bytes.len() < Self::MIN_CAPACITY {
            return Buffer { bytes: bytes.to_vec(), buffers: self.clone() };
        }
        let mut buffer = self.take();
        buffer.extend_from_slice(bytes);
        buffer
    }

    fn give_back(&self, mut bytes: Vec<u8>) {
        if (Self::MIN_CAPACITY..=Self::MAX_CAPACITY).contains(&bytes.capacity()) {
            bytes.clear();
            let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
            if spare.len() < Self::MAX_SPARE {
                spare.push(bytes);
            }
        }
    }
}

/// Bytes that return to their [`Buffers`].
#[derive(Debug)]
pub(super) struct Buffer {
    bytes: Vec<u8>,
    buffers: Buffers,
}

impl Buffer {
    /// Moves a few bytes to a small allocation, and gives the large one back.
    pub(super) fn shrink(&mut self) {
        if self.len() < Buffers::MIN_CAPACITY && self.capacity() >= Buffers::MIN_CAPACITY {
            let bytes = self.bytes.as_slice().to_vec();
            self.buffers.give_back(std::mem::replace(&mut self.bytes, bytes));
        }
    }
}

impl Deref for Buffer {
    type Target = Vec<u8>;

    fn deref(&self) -> &Vec<u8> {
        &self.bytes
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.buffers.give_back(std::mem::take(&mut self.bytes));
    }
}
