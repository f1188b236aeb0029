//! A linear memory that counts its bytes in its instance's budget, and guest memory as bytes.
#![expect(
    unsafe_code,
    reason = "methods of the engine's memory trait are unsafe, and passed on; and a memory is handed out as bytes"
)]

use std::ptr::NonNull;
use std::sync::Arc;
use std::time::Duration;

use wasmer::sys::vm::{
    ExpectedValue, LinearMemory, MemoryError, MemoryStyle, ThreadConditions, Trap, VMMemory, VMMemoryDefinition,
    VMSharedMemory, WaiterError,
};
use wasmer::{AsStoreMut, Memory, MemoryAccessError, MemoryType, MemoryView, Pages};

use crate::error::{Error, Result};
use crate::runtime::access;
use crate::runtime::status::InstanceStatus;

/// A memory of the engine's own, its size counted.
#[derive(Debug)]
pub(super) struct CountedMemory {
    inner: VMMemory,
    status: Arc<InstanceStatus>,
}

impl CountedMemory {
    /// Counts the minimum, makes the memory, gives the count back where that fails.
    pub(super) fn make(
        status: &Arc<InstanceStatus>,
        ty: &MemoryType,
        make: impl FnOnce() -> Result<VMMemory, MemoryError>,
    ) -> Result<VMMemory, MemoryError> {
        let bytes = ty.minimum.bytes().0 as u64;
        if !status.memory().take(bytes) {
            return Err(MemoryError::Generic(format!("{bytes} bytes of linear memory are past the limit")));
        }
        match make() {
            Ok(inner) => Ok(VMMemory(Box::new(Self { inner, status: Arc::clone(status) }))),
            Err(error) => {
                status.memory().give_back(bytes);
                Err(error)
            }
        }
    }
}

impl Drop for CountedMemory {
    fn drop(&mut self) {
        self.status.memory().release(self.inner.size().bytes().0 as u64);
    }
}

impl LinearMemory for CountedMemory {
    fn ty(&self) -> MemoryType {
        self.inner.ty()
    }

    fn size(&self) -> Pages {
        self.inner.size()
    }

    fn style(&self) -> MemoryStyle {
        self.inner.style()
    }

    fn grow(&mut self, delta: Pages) -> Result<Pages, MemoryError> {
        let bytes = delta.bytes().0 as u64;
        // What the memory's own type rules out is no matter of the limit.
        let most = self.ty().maximum.unwrap_or(Pages::max_value());
        let possible = self.size().checked_add(delta).is_some_and(|pages| pages <= most);
        if !possible || !self.status.memory().take(bytes) {
            return Err(MemoryError::CouldNotGrow { current: self.size(), attempted_delta: delta });
        }
        self.inner.grow(delta).inspect_err(|_| self.status.memory().give_back(bytes))
    }

    fn vmmemory(&self) -> NonNull<VMMemoryDefinition> {
        self.inner.vmmemory()
    }

    /// A memory that is not shared has one owner.
    fn try_clone(&self) -> Result<Box<dyn LinearMemory + Send + Sync + 'static>, MemoryError> {
        Err(MemoryError::MemoryNotShared)
    }

    unsafe fn initialize_with_data(&self, start: usize, data: &[u8]) -> Result<(), Trap> {
        // SAFETY: passed on as it came, under this function's own contract.
        unsafe { self.inner.initialize_with_data(start, data) }
    }

    fn copy(&self) -> Result<Box<dyn LinearMemory + Send + Sync + 'static>, MemoryError> {
        Err(MemoryError::UnsupportedOperation { message: "a counted memory is not copied".to_owned() })
    }

    fn as_shared(&self) -> Result<VMSharedMemory, MemoryError> {
        Err(MemoryError::MemoryNotShared)
    }

    unsafe fn do_wait(
        &mut self,
        dst: u32,
        expected: ExpectedValue,
        timeout: Option<Duration>,
    ) -> Result<u32, WaiterError> {
        // SAFETY: passed on as it came, under this function's own contract.
        unsafe { self.inner.do_wait(dst, expected, timeout) }
    }

    fn do_notify(&mut self, dst: u32, count: u32) -> u32 {
        self.inner.do_notify(dst, count)
    }

    fn thread_conditions(&self) -> Option<&ThreadConditions> {
        self.inner.thread_conditions()
    }
}

/// Hands out a guest memory, all of it.
pub(super) fn open(memory: &Memory, store: &mut impl AsStoreMut, access: &mut dyn FnMut(&mut [u8])) {
    let view = memory.view(store);
    // SAFETY: the store is held exclusively, so no guest code runs in it and no other view of the memory is used
    // meanwhile; a shared memory that leaves the one store it was made in is not opened.
    access(unsafe { view.data_unchecked_mut() });
}

/// Copies from guest memory at `offset`.
pub(super) fn read(view: &MemoryView<'_>, offset: u64, buffer: &mut [u8]) -> Result<()> {
    access::range(offset, buffer.len(), size(view))?;
    view.read(offset, buffer).map_err(failed)
}

/// Copies into guest memory at `offset`.
pub(super) fn write(view: &MemoryView<'_>, offset: u64, bytes: &[u8]) -> Result<()> {
    access::range(offset, bytes.len(), size(view))?;
    view.write(offset, bytes).map_err(failed)
}

fn size(view: &MemoryView<'_>) -> usize {
    usize::try_from(view.data_size()).unwrap_or(usize::MAX)
}

fn failed(error: MemoryAccessError) -> Error {
    Error::new(crate::error::ErrorKind::MemoryAccess, error.to_string())
}
