//! Memory, tables and stack, held.
#![expect(unsafe_code, reason = "the engine's trait for making memories and tables is unsafe to implement through")]

use std::ptr::NonNull;
use std::sync::{Arc, OnceLock};

use wasmer::sys::vm::{
    MemoryError, MemoryStyle, TableStyle, VMConfig, VMMemory, VMMemoryDefinition, VMTable, VMTableDefinition,
};
use wasmer::sys::{BaseTunables, Tunables};
use wasmer::{MemoryType, TableType};

use super::memory::CountedMemory;
use crate::error::{Error, ErrorKind, Result};
use crate::limits::{Limits, MOST_TABLE_ELEMENTS};
use crate::module::info::{ExternType, ModuleInfo};
use crate::runtime::status::InstanceStatus;

/// Why an instance that was to have none gets no memory and no table.
const UNCOUNTED: &str = "nobody counts what this instance has";

/// Makes the memories and tables of one instance, within its limits. Styles are the engine's own, since they are baked
/// into the code.
pub(super) struct GuestTunables {
    base: BaseTunables,
    /// Who counts them; where there is nobody, none are made.
    status: Option<Arc<InstanceStatus>>,
    table_elements: u32,
    vm: VMConfig,
    /// Whether they are a thread's, which makes no shared memory: what was counted is that of its program.
    of_thread: bool,
}

impl GuestTunables {
    pub(super) fn new(base: BaseTunables, status: Option<Arc<InstanceStatus>>, limits: Limits, stack: u64) -> Self {
        let elements = limits.table_elements.unwrap_or(u64::MAX);
        let table_elements = u32::try_from(elements).unwrap_or(u32::MAX);
        let vm = VMConfig { wasm_stack_size: Some(usize::try_from(stack).unwrap_or(usize::MAX)) };
        Self { base, status, table_elements, vm, of_thread: false }
    }

    /// The same for a thread of the instance.
    pub(super) fn of_thread(mut self) -> Self {
        self.of_thread = true;
        self
    }

    /// A memory that counts itself; a shared one was counted before, with its maximum.
    fn count(
        &self,
        ty: &MemoryType,
        make: impl FnOnce() -> Result<VMMemory, MemoryError>,
    ) -> Result<VMMemory, MemoryError> {
        let status = self.status.as_ref().ok_or_else(|| MemoryError::Generic(UNCOUNTED.to_owned()))?;
        if ty.shared && self.of_thread {
            return Err(MemoryError::Generic("a thread makes no shared memory".to_owned()));
        }
        if ty.shared {
            return make();
        }
        CountedMemory::make(status, ty, make)
    }

    /// The type with its maximum lowered to the limit, which is how a table is kept from growing, and to the engine's
    /// own bound, past which it refuses to make the table at all.
    fn limit(&self, ty: &TableType) -> Result<TableType, String> {
        if self.status.is_none() {
            return Err(UNCOUNTED.to_owned());
        }
        if ty.minimum > self.table_elements {
            return Err(format!("{} table elements, the limit is {}", ty.minimum, self.table_elements));
        }
        let maximum = ty.maximum.unwrap_or(MOST_TABLE_ELEMENTS).min(MOST_TABLE_ELEMENTS).min(self.table_elements);
        Ok(TableType { maximum: Some(maximum), ..*ty })
    }
}

impl Tunables for GuestTunables {
    fn memory_style(&self, memory: &MemoryType) -> MemoryStyle {
        self.base.memory_style(memory)
    }

    fn table_style(&self, table: &TableType) -> TableStyle {
        self.base.table_style(table)
    }

    fn create_host_memory(&self, ty: &MemoryType, style: &MemoryStyle) -> Result<VMMemory, MemoryError> {
        self.count(ty, || self.base.create_host_memory(ty, style))
    }

    unsafe fn create_vm_memory(
        &self,
        ty: &MemoryType,
        style: &MemoryStyle,
        location: NonNull<VMMemoryDefinition>,
    ) -> Result<VMMemory, MemoryError> {
        // SAFETY: `location` is valid by this function's own contract, and passed on as it came.
        self.count(ty, || unsafe { self.base.create_vm_memory(ty, style, location) })
    }

    fn create_host_table(&self, ty: &TableType, style: &TableStyle) -> Result<VMTable, String> {
        self.base.create_host_table(&self.limit(ty)?, style)
    }

    unsafe fn create_vm_table(
        &self,
        ty: &TableType,
        style: &TableStyle,
        location: NonNull<VMTableDefinition>,
    ) -> Result<VMTable, String> {
        // SAFETY: `location` is valid by this function's own contract, and passed on as it came.
        unsafe { self.base.create_vm_table(&self.limit(ty)?, style, location) }
    }

    fn vmconfig(&self) -> &VMConfig {
        &self.vm
    }
}

/// Whether instances of a module have memories or tables, their own or the host's.
pub(super) fn has_memory_or_table(info: &ModuleInfo) -> bool {
    let mut imported = info.imports.iter().map(|import| &import.ty);
    let own = !info.memories.is_empty() || !info.tables.is_empty();
    own || imported.any(|ty| matches!(ty, ExternType::Memory(_) | ExternType::Table(_)))
}

/// Makes `bytes` the guest stack size of this process, which is then the only one: Wasmer reuses guest stacks across
/// threads and engines and takes any that is large enough, so beside a larger one a smaller bound would not hold.
///
/// # Errors
/// [`ErrorKind::UnsupportedConfig`] where the process has another size already.
pub(super) fn claim_stack_size(bytes: u64) -> Result<()> {
    static CLAIMED: OnceLock<u64> = OnceLock::new();
    let claimed = *CLAIMED.get_or_init(|| bytes);
    if claimed == bytes {
        return Ok(());
    }
    let message = format!("wasmer holds one stack bound in a process: this one has {claimed} bytes, not {bytes}");
    Err(Error::new(ErrorKind::UnsupportedConfig, message).with_hint("use the same bound, or another process"))
}
