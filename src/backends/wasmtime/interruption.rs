//! Guests that are stopped and paused, by the engine's epochs: each guest looks at its orders where an epoch ends.

use std::fmt;
use std::sync::Arc;

use wasmtime::{Engine, Store, UpdateDeadline};

use super::limits::Guest;
use crate::runtime::core::InstanceCore;
use crate::runtime::reins::Brake;

/// Has the guest of a store look at its orders at each epoch's end.
pub(super) fn prepare(store: &mut Store<Guest>, core: &InstanceCore) {
    let life = Arc::clone(core.life());
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(move |_| {
        life.heed()?;
        Ok(UpdateDeadline::Continue(1))
    });
    core.set_brake(Epochs(store.engine().clone()));
}

/// Ends the epoch, for all guests of the engine: each looks at orders of its own.
struct Epochs(Engine);

impl fmt::Debug for Epochs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Epochs")
    }
}

impl Brake for Epochs {
    fn press(&self) {
        self.0.increment_epoch();
    }

    fn can_go_on(&self) -> bool {
        true
    }
}
