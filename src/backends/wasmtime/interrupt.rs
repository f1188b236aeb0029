//! Guests that are stopped and paused, by the engine's epochs: each guest looks at its orders where an epoch ends.

use std::fmt;
use std::sync::Arc;

use wasmtime::{Engine, Store, UpdateDeadline};

use super::limits::StoreData;
use crate::runtime::core::InstanceCore;
use crate::runtime::interrupt::InterruptHandle;

/// Has the guest of a store look at its orders at each epoch's end.
pub(super) fn prepare(store: &mut Store<StoreData>, core: &InstanceCore) {
    let status = Arc::clone(core.status());
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(move |_| {
        status.check_interrupt()?;
        Ok(UpdateDeadline::Continue(1))
    });
    core.set_interrupt_handle(Epochs(store.engine().clone()));
}

/// Ends the epoch, for all guests of the engine: each looks at orders of its own.
struct Epochs(Engine);

impl fmt::Debug for Epochs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Epochs")
    }
}

impl InterruptHandle for Epochs {
    fn request_check(&self) {
        self.0.increment_epoch();
    }

    fn can_resume(&self) -> bool {
        true
    }
}
