//! Guests that are stopped, by the counter their code keeps: other threads write to it that nothing is left.
#![expect(unsafe_code, reason = "the counter is written to by its address, while the guest that owns its store runs")]

use std::ptr::NonNull;
use std::sync::atomic::{AtomicI64, Ordering};

use wasmer::sys::vm::VMExtern;
use wasmer::{AsStoreMut, Extern, Global, Store};

use super::metering::EXHAUSTED;
use crate::runtime::core::InstanceCore;
use crate::runtime::reins::Brake;

/// What is written: as far below zero as to stay there, whatever the guest charges on top of it.
const NOTHING_LEFT: i64 = i64::MIN / 2;

/// How often the counter is written to in a row: the guest overwrites it where it has read it just before.
const WRITES: usize = 64;

/// Gives a guest whose code counts the brake to stop it with.
pub(super) fn prepare(store: &mut Store, core: &InstanceCore, counter: &Global) {
    let counter = Extern::Global(counter.clone()).to_vm_extern();
    if let VMExtern::Global(handle) = counter.unwrap_sys() {
        let definition = handle.get(store.objects_mut().as_sys()).vmglobal();
        core.set_brake(Counter(definition.cast()));
    }
}

/// The address of a counter. The brake is taken away, under the lock it is pressed under, before its store is dropped.
#[derive(Debug)]
struct Counter(NonNull<i64>);

// SAFETY: the address is that of a global's value in the store, which does not move while the store lives; the brake is
// taken away before that ends (`InstanceCore` is dropped before the store). It is only accessed atomically here, and in
// guest code by aligned machine accesses of its width.
unsafe impl Send for Counter {}

impl Brake for Counter {
    fn press(&self) {
        // SAFETY: as for `Send`; the value is 64 bits wide and aligned to 16 bytes.
        let counter = unsafe { AtomicI64::from_ptr(self.0.as_ptr()) };
        for _ in 0..WRITES {
            // The mark of a guest that has found nothing left is kept: it tells why the guest ended.
            let below = |left: i64| (left != EXHAUSTED).then_some(NOTHING_LEFT);
            let _ = counter.fetch_update(Ordering::Relaxed, Ordering::Relaxed, below);
            std::hint::spin_loop();
        }
    }

    fn can_go_on(&self) -> bool {
        false
    }
}
