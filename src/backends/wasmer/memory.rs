//! Linear memories that count their size against the instance's memory budget, and access to guest memory as bytes.
#![expect(unsafe_code, reason = "the engine's memory trait has unsafe methods, and so has access to memory as a slice")]

use std::ptr::NonNull;
use std::sync::Arc;
use std::time::Duration;

use wasmer::sys::vm::{
    ExpectedValue, LinearMemory, MemoryError, MemoryStyle, ThreadConditions, Trap, VMMemory, VMMemoryDefinition,
    VMSharedMemory, WaiterError,
};
use wasmer::{AsStoreMut, Memory, MemoryAccessError, MemoryType, MemoryView, Pages};

use crate::error::{Error, ErrorKind, Result};
use crate::runtime::access;
use crate::runtime::status::InstanceStatus;

/// A memory of the engine that counts its size.
#[derive(Debug)]
pub(super) struct CountedMemory {
    inner: VMMemory,
    status: Arc<InstanceStatus>,
}

impl CountedMemory {
    /// Takes the minimum size from the budget and creates the memory.
    pub(super) fn create(
        status: &Arc<InstanceStatus>,
        ty: &MemoryType,
        create: impl FnOnce() -> Result<VMMemory, MemoryError>,
    ) -> Result<VMMemory, MemoryError> {
        let bytes = ty.minimum.bytes().0 as u64;
        if !status.memory().take(bytes) {
            return Err(MemoryError::Generic(format!("{bytes} bytes of linear memory exceed the limit")));
        }
        match create() {
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
        // A growth that the memory's type does not allow is not a limit that was hit.
        let maximum = self.ty().maximum.unwrap_or(Pages::max_value());
        let allowed = self.size().checked_add(delta).is_some_and(|pages| pages <= maximum);
        if !allowed || !self.status.memory().take(bytes) {
            return Err(MemoryError::CouldNotGrow { current: self.size(), attempted_delta: delta });
        }
        self.inner.grow(delta).inspect_err(|_| self.status.memory().give_back(bytes))
    }

    fn vmmemory(&self) -> NonNull<VMMemoryDefinition> {
        self.inner.vmmemory()
    }

    /// Fails: only a shared memory can be cloned.
    fn try_clone(&self) -> Result<Box<dyn LinearMemory + Send + Sync + 'static>, MemoryError> {
        Err(MemoryError::MemoryNotShared)
    }

    unsafe fn initialize_with_data(&self, start: usize, data: &[u8]) -> Result<(), Trap> {
        // SAFETY: this function has the same contract.
        unsafe { self.inner.initialize_with_data(start, data) }
    }

    fn copy(&self) -> Result<Box<dyn LinearMemory + Send + Sync + 'static>, MemoryError> {
        Err(MemoryError::UnsupportedOperation { message: "a counted memory cannot be copied".to_owned() })
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
        // SAFETY: this function has the same contract.
        unsafe { self.inner.do_wait(dst, expected, timeout) }
    }

    fn do_notify(&mut self, dst: u32, count: u32) -> u32 {
        self.inner.do_notify(dst, count)
    }

    fn thread_conditions(&self) -> Option<&ThreadConditions> {
        self.inner.thread_conditions()
    }
}

/// Calls `access` with the bytes of a guest memory.
pub(super) fn with_bytes(memory: &Memory, store: &mut impl AsStoreMut, access: &mut dyn FnMut(&mut [u8])) {
    let view = memory.view(store);
    // SAFETY: the caller has exclusive access to the store, so no guest code runs in it and no other view of the memory is
    // used during the call. No other store uses the memory: callers refuse a memory that threads share.
    access(unsafe { view.data_unchecked_mut() });
}

/// Copies from guest memory, starting at `offset`.
pub(super) fn read(view: &MemoryView<'_>, offset: u64, buffer: &mut [u8]) -> Result<()> {
    access::range(offset, buffer.len(), size(view))?;
    view.read(offset, buffer).map_err(access_error)
}

/// Copies to guest memory, starting at `offset`.
pub(super) fn write(view: &MemoryView<'_>, offset: u64, bytes: &[u8]) -> Result<()> {
    access::range(offset, bytes.len(), size(view))?;
    view.write(offset, bytes).map_err(access_error)
}

fn size(view: &MemoryView<'_>) -> usize {
    usize::try_from(view.data_size()).unwrap_or(usize::MAX)
}

fn access_error(error: MemoryAccessError) -> Error {
    Error::new(ErrorKind::MemoryAccess, error.to_string())
}
