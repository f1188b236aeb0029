//! Guests that are stopped, by a flag their code looks at: other threads write to it.
#![expect(unsafe_code, reason = "the flag is written to by its address, while the guest that owns its store runs")]

use std::ptr::NonNull;
use std::sync::atomic::{AtomicI32, Ordering};

use wasmer::sys::vm::VMExtern;
use wasmer::{AsStoreMut, Extern, Global, Store};

use super::middleware::{GO, STOP};
use crate::runtime::core::InstanceCore;
use crate::runtime::interrupt::InterruptHandle;

/// Gives a guest whose code looks at `stop` the brake to stop it with.
pub(super) fn prepare(store: &mut Store, core: &InstanceCore, stop: &Global) {
    if let Some(flag) = flag(store, stop) {
        core.set_interrupt_handle(flag);
    }
}

/// The flag that guest code looks at. Whoever has it lets go of it before the store is dropped.
pub(super) fn flag(store: &mut Store, stop: &Global) -> Option<Flag> {
    let stop = Extern::Global(stop.clone()).to_vm_extern();
    let VMExtern::Global(handle) = stop.unwrap_sys() else { return None };
    Some(Flag(handle.get(store.objects_mut().as_sys()).vmglobal().cast()))
}

/// The address of a flag. The brake is taken away, under the lock it is pressed under, before its store is dropped.
#[derive(Debug)]
pub(super) struct Flag(NonNull<i32>);

// SAFETY: the address is that of a global's value in the store, which does not move while the store lives; the brake is
// taken away before that ends (`InstanceCore` is dropped before the store). It is only accessed atomically here, and in
// guest code by aligned machine accesses of its width.
unsafe impl Send for Flag {}

impl InterruptHandle for Flag {
    fn request_check(&self) {
        // SAFETY: as for `Send`; the value is 32 bits wide and aligned to 16 bytes.
        let flag = unsafe { AtomicI32::from_ptr(self.0.as_ptr()) };
        // The mark of a guest that has stopped is kept: it tells why the guest ended.
        let _ = flag.compare_exchange(GO, STOP, Ordering::Relaxed, Ordering::Relaxed);
    }

    fn can_resume(&self) -> bool {
        false
    }
}
