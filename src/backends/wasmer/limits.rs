//! Limits on memories, tables and the stack.
#![expect(unsafe_code, reason = "the engine's trait for creating memories and tables has unsafe methods")]

use std::ptr::NonNull;
use std::sync::{Arc, OnceLock};

use wasmer::sys::vm::{
    MemoryError, MemoryStyle, TableStyle, VMConfig, VMMemory, VMMemoryDefinition, VMTable, VMTableDefinition,
};
use wasmer::sys::{BaseTunables, Tunables};
use wasmer::{MemoryType, TableType};

use super::memory::CountedMemory;
use crate::error::{Error, ErrorKind, Result};
use crate::limits::{Limits, MAX_TABLE_ELEMENTS};
use crate::module::info::{ExternType, ModuleInfo};
use crate::runtime::status::InstanceStatus;

/// The error for a memory or table of an instance that was expected to have neither.
const NO_BUDGET: &str = "this instance has no budget for memories and tables";

/// Creates the memories and tables of one instance within its limits. Their styles are the engine's, since the compiled code
/// depends on them.
pub(super) struct GuestTunables {
    base: BaseTunables,
    budget: Budget,
    table_elements: u32,
    vm: VMConfig,
    /// Whether the instance is a thread, which uses the shared memory of its program and creates none.
    is_thread: bool,
}

/// Where memories and tables are counted.
pub(super) enum Budget {
    /// The status of an instance.
    Status(Arc<InstanceStatus>),
    /// Nothing: they belong to the host.
    Host,
    /// None may be created.
    Empty,
}

impl GuestTunables {
    pub(super) fn new(base: BaseTunables, budget: Budget, limits: Limits, stack: u64) -> Self {
        let elements = limits.table_elements.unwrap_or(u64::MAX);
        let table_elements = u32::try_from(elements).unwrap_or(u32::MAX);
        let vm = VMConfig { wasm_stack_size: Some(usize::try_from(stack).unwrap_or(usize::MAX)) };
        Self { base, budget, table_elements, vm, is_thread: false }
    }

    /// Sets the limits for a thread of the instance.
    pub(super) fn for_thread(mut self) -> Self {
        self.is_thread = true;
        self
    }

    /// Creates a memory that counts its size, unless it is shared: its maximum counts from the start.
    fn create_memory(
        &self,
        ty: &MemoryType,
        create: impl FnOnce() -> Result<VMMemory, MemoryError>,
    ) -> Result<VMMemory, MemoryError> {
        let status = match &self.budget {
            Budget::Status(status) => status,
            Budget::Host => return create(),
            Budget::Empty => return Err(MemoryError::Generic(NO_BUDGET.to_owned())),
        };
        if ty.shared && self.is_thread {
            return Err(MemoryError::Generic("a thread cannot create a shared memory".to_owned()));
        }
        if ty.shared {
            return create();
        }
        CountedMemory::create(status, ty, create)
    }

    /// Lowers the maximum of a table type to the limit, so that the table cannot grow past it, and to the engine's own
    /// limit, since the engine does not create tables with a larger maximum.
    fn limited_type(&self, ty: &TableType) -> Result<TableType, String> {
        if matches!(self.budget, Budget::Empty) {
            return Err(NO_BUDGET.to_owned());
        }
        if ty.minimum > self.table_elements {
            return Err(format!("{} table elements exceed the limit of {}", ty.minimum, self.table_elements));
        }
        let maximum = ty.maximum.unwrap_or(MAX_TABLE_ELEMENTS).min(MAX_TABLE_ELEMENTS).min(self.table_elements);
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
        self.create_memory(ty, || self.base.create_host_memory(ty, style))
    }

    unsafe fn create_vm_memory(
        &self,
        ty: &MemoryType,
        style: &MemoryStyle,
        location: NonNull<VMMemoryDefinition>,
    ) -> Result<VMMemory, MemoryError> {
        // SAFETY: this function has the same contract.
        self.create_memory(ty, || unsafe { self.base.create_vm_memory(ty, style, location) })
    }

    fn create_host_table(&self, ty: &TableType, style: &TableStyle) -> Result<VMTable, String> {
        self.base.create_host_table(&self.limited_type(ty)?, style)
    }

    unsafe fn create_vm_table(
        &self,
        ty: &TableType,
        style: &TableStyle,
        location: NonNull<VMTableDefinition>,
    ) -> Result<VMTable, String> {
        // SAFETY: this function has the same contract.
        unsafe { self.base.create_vm_table(&self.limited_type(ty)?, style, location) }
    }

    fn vmconfig(&self) -> &VMConfig {
        &self.vm
    }
}

/// Returns whether a module defines or imports memories or tables.
pub(super) fn has_memory_or_table(info: &ModuleInfo) -> bool {
    let mut imported = info.imports.iter().map(|import| &import.ty);
    let defined = !info.memories.is_empty() || !info.tables.is_empty();
    defined || imported.any(|ty| matches!(ty, ExternType::Memory(_) | ExternType::Table(_)))
}

/// Sets the guest stack size of this process. There can only be one: Wasmer reuses guest stacks across threads and engines
/// and takes any that is large enough, so it would not enforce a smaller size.
///
/// # Errors
/// [`ErrorKind::UnsupportedConfig`] if the process already uses another size.
pub(super) fn claim_stack_size(bytes: u64) -> Result<()> {
    static CLAIMED: OnceLock<u64> = OnceLock::new();
    let claimed = *CLAIMED.get_or_init(|| bytes);
    if claimed == bytes {
        return Ok(());
    }
    let message = format!("wasmer supports one guest stack size per process: it is {claimed} bytes, not {bytes}");
    Err(Error::new(ErrorKind::UnsupportedConfig, message).with_hint("use the same size, or another process"))
}
