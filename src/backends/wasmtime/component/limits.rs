//! Limits of components beside those on memories and tables, which are the same as for modules.

use wasmtime::Store;

use super::data::ComponentData;
use crate::limits::Limits;

/// The maximum number of handles that a guest holds at a time: of resources, of tasks, and of ends of streams and futures.
const MAX_HANDLES: usize = 100_000;

/// The maximum number of entries in the engine's table of what runs concurrently. A task takes a few of them, a stream or a future
/// three.
#[cfg(feature = "wasi-p3")]
const MAX_CONCURRENT: usize = 16_384;

/// How many bytes the host may allocate for the values that a guest passes to it at a time, if the guest's memory has no
/// limit.
const MAX_TRANSFER: u64 = 1 << 30;

/// The same, as a multiple of a limit on memory. A value of a few bytes takes several times as much on the host.
const TRANSFER_FACTOR: u64 = 2;

/// The least limit that follows from a limit on memory.
const MIN_TRANSFER: u64 = 16 << 20;

/// The maximum number of elements of all tables together without a limit: 80 MB of references, and the most that a table has at
/// the start.
const MAX_ELEMENTS: u64 = 10_000_000;

/// Adds limits of components to those that were granted.
pub(super) fn with_defaults(mut granted: Limits) -> Limits {
    granted.table_elements.get_or_insert(MAX_ELEMENTS);
    granted
}

/// Limits the host memory and the handles that a guest can use.
pub(super) fn apply(store: &mut Store<ComponentData>, limits: Limits) {
    store.limiter(|data| &mut data.guest);
    store.set_max_component_handles(MAX_HANDLES);
    let transfer = limits
        .memory
        .map_or(MAX_TRANSFER, |memory| memory.saturating_mul(TRANSFER_FACTOR).clamp(MIN_TRANSFER, MAX_TRANSFER));
    store.set_hostcall_fuel(usize::try_from(transfer).unwrap_or(usize::MAX));
    #[cfg(feature = "wasi-p3")]
    if let Some(tasks) = store.concurrent_resource_table() {
        tasks.set_max_capacity(MAX_CONCURRENT);
    }
}
