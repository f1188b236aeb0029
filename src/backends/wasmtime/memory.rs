//! StoreData memory as bytes.
#![expect(unsafe_code, reason = "a shared memory is handed out as cells")]

use wasmtime::{AsContextMut, Extern, SharedMemory};

use super::limits::StoreData;

/// Opens an exported memory; `None` where the export is something else.
pub(super) fn of<R>(
    mut store: impl AsContextMut<Data = StoreData>,
    export: Extern,
    access: impl FnOnce(&mut [u8]) -> R,
) -> Option<R> {
    match export {
        Extern::Memory(memory) => Some(access(memory.data_mut(store.as_context_mut()))),
        Extern::SharedMemory(memory) => Some(shared(&memory, access)),
        _ => None,
    }
}

fn shared<R>(memory: &SharedMemory, access: impl FnOnce(&mut [u8]) -> R) -> R {
    let cells = memory.data();
    // SAFETY: the cells are `memory.data()`'s own, alive while `memory` is. Nothing else touches them meanwhile: a
    // shared memory never leaves the one store it was made in, and whoever calls here holds that store exclusively,
    // so no guest code runs and no second slice of it exists.
    access(unsafe { std::slice::from_raw_parts_mut(cells.as_ptr().cast::<u8>().cast_mut(), cells.len()) })
}
