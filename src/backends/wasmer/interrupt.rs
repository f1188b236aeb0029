//! Interruption by a flag that guest code checks.
#![expect(unsafe_code, reason = "other threads write the flag by its address, while a guest runs in its store")]

use std::ptr::NonNull;
use std::sync::atomic::{AtomicI32, Ordering};

use wasmer::sys::vm::VMExtern;
use wasmer::{AsStoreMut, Extern, Global, Store};

use super::private_exports::{GO, STOP};
use crate::runtime::interrupt::InterruptHandle;

/// Returns the flag behind the global `stop`. It must be dropped before the store.
pub(super) fn flag(store: &mut Store, stop: &Global) -> Option<StopFlag> {
    let stop = Extern::Global(stop.clone()).to_vm_extern();
    let VMExtern::Global(handle) = stop.unwrap_sys() else { return None };
    Some(StopFlag(handle.get(store.objects_mut().as_sys()).vmglobal().cast()))
}

/// The address of a stop flag in a store.
#[derive(Debug)]
pub(super) struct StopFlag(NonNull<i32>);

// SAFETY: the address points to a global's value in the store, which does not move while the store lives. Every flag is
// dropped before its store: `InstanceCore` removes the interrupt handle, under the lock that guards its use, and is dropped
// before the store. The value is only accessed atomically here, and by aligned 32-bit machine accesses in guest code.
unsafe impl Send for StopFlag {}

impl InterruptHandle for StopFlag {
    fn request_check(&self) {
        // SAFETY: the address is valid, as for `Send`. The value is 32 bits wide and aligned to 16 bytes.
        let flag = unsafe { AtomicI32::from_ptr(self.0.as_ptr()) };
        // `STOPPED` must stay: it tells why the guest ended.
        let _ = flag.compare_exchange(GO, STOP, Ordering::Relaxed, Ordering::Relaxed);
    }

    fn can_resume(&self) -> bool {
        false
    }
}
