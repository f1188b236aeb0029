//! Interruption by the engine's epochs: at the end of each epoch, a guest checks whether it must stop or pause.

use std::fmt::Debug;
use std::sync::Arc;

use wasmtime::{Engine, Store, UpdateDeadline};

use crate::runtime::interrupt::InterruptHandle;
use crate::runtime::owner::InstanceCore;

/// Makes the guest check for interrupts at the end of each epoch.
pub(super) fn prepare<T, I: Debug>(store: &mut Store<T>, core: &InstanceCore<I>) {
    let status = Arc::clone(core.status());
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(move |_| {
        status.check_interrupt()?;
        Ok(UpdateDeadline::Continue(1))
    });
    core.set_interrupt_handle(EpochHandle(store.engine().clone()));
}

/// Ends the epoch for all guests of the engine; each of them checks its own interrupt state.
#[derive(derive_more::Debug)]
#[debug("EpochHandle")]
struct EpochHandle(Engine);

impl InterruptHandle for EpochHandle {
    fn request_check(&self) {
        self.0.increment_epoch();
    }

    fn can_resume(&self) -> bool {
        true
    }
}
