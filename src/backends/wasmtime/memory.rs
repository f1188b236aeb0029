//! Access to guest memory as bytes.
#![expect(unsafe_code, reason = "Wasmtime gives access to a shared memory as a slice of cells")]

use wasmtime::{AsContextMut, Extern};

use super::limits::StoreData;
use crate::error::Result;
use crate::runtime::access;

/// Calls `access` with the bytes of an exported memory; returns `None` if the export is not a memory.
pub(super) fn with_bytes<R>(
    mut store: impl AsContextMut<Data = StoreData>,
    export: Extern,
    access: impl FnOnce(&mut [u8]) -> R,
) -> Option<R> {
    match export {
        Extern::Memory(memory) => Some(access(memory.data_mut(store.as_context_mut()))),
        Extern::SharedMemory(memory) => {
            let cells = memory.data();
            let start = cells.as_ptr().cast::<u8>().cast_mut();
            // SAFETY: the pointer and the length are those of one slice, which lives as long as `memory`. Nothing else
            // accesses these bytes during the call: wrun never shares a memory between stores, and the caller has exclusive
            // access to the store, so no guest code runs and no other slice of the memory exists.
            Some(access(unsafe { std::slice::from_raw_parts_mut(start, cells.len()) }))
        }
        _ => None,
    }
}

/// Copies bytes from `memory` at `offset`.
///
/// # Errors
/// [`ErrorKind::MemoryAccess`] if the range is out of bounds.
pub(super) fn read(memory: &[u8], offset: u64, buffer: &mut [u8]) -> Result<()> {
    buffer.copy_from_slice(&memory[access::range(offset, buffer.len(), memory.len())?]);
    Ok(())
}

/// Copies bytes into `memory` at `offset`.
///
/// # Errors
/// [`ErrorKind::MemoryAccess`] if the range is out of bounds. Writes nothing then.
pub(super) fn write(memory: &mut [u8], offset: u64, bytes: &[u8]) -> Result<()> {
    let range = access::range(offset, bytes.len(), memory.len())?;
    memory[range].copy_from_slice(bytes);
    Ok(())
}
