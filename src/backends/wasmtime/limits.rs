//! Limits on memories and tables.

use std::collections::HashMap;
use std::sync::Arc;

use wasmtime::{Engine, Extern, ExternRef, FrameInfo, Func, Instance, Module, ResourceLimiter, RootScope, Store};

use crate::limits::MAX_TABLE_ELEMENTS;
use crate::runtime::status::InstanceStatus;

/// The data of a store: the guest's limits, and the functions that the host refers to.
pub(super) struct StoreData {
    pub(super) guest: Guest,
    /// By how many bytes the code section was moved before compilation.
    code_shift: i64,
    /// The guest, after instantiation.
    pub(super) instance: Option<Instance>,
    /// The functions that the host refers to by number, and their numbers by address.
    pub(super) funcs: Vec<Func>,
    pub(super) func_numbers: HashMap<usize, u32>,
}

impl StoreData {
    pub(super) fn new(status: Arc<InstanceStatus>, code_shift: i64) -> Self {
        let guest = Guest::new(status);
        Self { guest, code_shift, instance: None, funcs: Vec::new(), func_numbers: HashMap::new() }
    }
}

/// The data of a store for modules or for components.
pub(super) trait GuestData: 'static {
    /// Returns the offset of a frame's instruction in the bytes of the module or component, if they contain it.
    fn offset(&self, frame: &FrameInfo) -> Option<u64>;
}

impl GuestData for StoreData {
    fn offset(&self, frame: &FrameInfo) -> Option<u64> {
        Some((frame.module_offset()? as u64).wrapping_add_signed(-self.code_shift))
    }
}

/// The guest of a store, whose growth is limited.
pub(super) struct Guest {
    pub(super) status: Arc<InstanceStatus>,
    /// Bytes reserved for a growth that has not succeeded or failed yet.
    pending_growth: u64,
    /// The maximum number of instances, of memories and of tables in the store.
    max_items: usize,
    /// The number of elements of all tables, if they count together.
    elements: Option<u64>,
    /// Whether memory counts. Memory of the host does not.
    is_counted: bool,
}

impl Guest {
    fn new(status: Arc<InstanceStatus>) -> Self {
        Self {
            status,
            pending_growth: 0,
            max_items: wasmtime::DEFAULT_INSTANCE_LIMIT,
            elements: None,
            is_counted: true,
        }
    }

    /// Limits the number of instances, of memories and of tables, and the elements of all tables together.
    #[cfg(feature = "components")]
    pub(super) fn of_component(status: Arc<InstanceStatus>, max_items: usize) -> Self {
        Self { status, pending_growth: 0, max_items, elements: Some(0), is_counted: true }
    }
}

/// Creates a store whose guest is limited. If the guest has exceptions, it can throw a few even if its memory is full:
/// the first page of their heap (64 KiB) does not count.
///
/// # Errors
/// If the system refuses memory.
pub(super) fn create_store(
    engine: &Engine,
    data: StoreData,
    has_exceptions: bool,
) -> wasmtime::Result<Store<StoreData>> {
    let mut store = Store::new(engine, data);
    if has_exceptions {
        // The engine adds the page for the first object, and reuses it after the object is dropped.
        ExternRef::new(RootScope::new(&mut store), ())?;
    }
    store.limiter(|data| &mut data.guest);
    Ok(store)
}

/// Creates an instance whose memory belongs to the host, and does not count as the guest's.
pub(super) fn create_uncounted(
    store: &mut Store<StoreData>,
    module: &Module,
    imports: &[Extern],
) -> wasmtime::Result<Instance> {
    store.data_mut().guest.is_counted = false;
    let created = Instance::new(&mut *store, module, imports);
    store.data_mut().guest.is_counted = true;
    created
}

/// The engine's error for a growth past the maximum of the memory's type. The engine reports it without a call to
/// `memory_growing`, so nothing is reserved. (A test with pages of one byte fails if the message changes.)
const EXCEEDS_TYPE: &str = "memory growth exceeds memory type's limits";

impl ResourceLimiter for Guest {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        self.pending_growth = 0;
        if !self.is_counted {
            return Ok(true);
        }
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let more = desired.saturating_sub(current) as u64;
        let fits = self.status.memory().take(more);
        if fits {
            self.pending_growth = more;
        }
        Ok(fits)
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        if error.to_string() != EXCEEDS_TYPE {
            self.status.memory().give_back(std::mem::take(&mut self.pending_growth));
        }
        Ok(())
    }

    // The engine reports no growth as failed that this function has admitted.
    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        if desired > MAX_TABLE_ELEMENTS as usize || maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let Some(elements) = &mut self.elements else { return Ok(self.status.admits_elements(desired as u64)) };
        let sum = elements.saturating_add(desired.saturating_sub(current) as u64);
        let fits = self.status.admits_elements(sum);
        if fits {
            *elements = sum;
        }
        Ok(fits)
    }

    fn instances(&self) -> usize {
        self.max_items
    }

    fn tables(&self) -> usize {
        self.max_items
    }

    fn memories(&self) -> usize {
        self.max_items
    }
}
