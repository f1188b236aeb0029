//! A handle on an instance for threads that do not hold it.

use std::fmt;
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::runtime::interrupt::{InterruptState, StopReason};
use crate::runtime::status::{InstanceState, InstanceStatus};

/// Watches, stops and pauses an instance from any thread, also while a call is in it. Clones are of the same instance;
/// none keeps it alive.
///
/// All but [`Control::state`] need a runtime made with
/// [`RuntimeConfig::with_interruption`](crate::RuntimeConfig::with_interruption). Nothing stops or pauses a host
/// function before it returns, nor a single bulk operator (`memory.fill` and its like) before it is done, nor a wait on shared
/// memory, but for that of a WASIX guest.
#[derive(Clone)]
pub struct Control {
    status: Arc<InstanceStatus>,
}

impl Control {
    pub(crate) fn new(status: &Arc<InstanceStatus>) -> Self {
        Self { status: Arc::clone(status) }
    }

    /// The state of the instance; of one that is gone, its last.
    #[must_use]
    pub fn state(&self) -> InstanceState {
        self.status.state()
    }

    /// Stops the call that is in the instance, also one that is paused: it fails with [`ErrorKind::Interrupted`], and
    /// leaves the instance crashed. Returns at once; whether there was a call.
    ///
    /// # Errors
    /// [`ErrorKind::UnsupportedConfig`] where the runtime was made without interruption.
    pub fn interrupt(&self) -> Result<bool> {
        Ok(self.interrupt_state()?.request_stop(StopReason::Interrupted))
    }

    /// Holds the instance until [`Control::resume`]. A call that runs is held at its next check on Wasmtime (a loop's
    /// next round, a function's entry, a host call), on Wasmer at its next host call; the next call is held before it
    /// begins. Time does not pass for a call that is held.
    ///
    /// # Errors
    /// [`ErrorKind::UnsupportedConfig`] where the runtime was made without interruption,
    /// [`ErrorKind::UnsupportedFeature`] where the guest can start threads: they would run on.
    pub fn pause(&self) -> Result<()> {
        let interrupt = self.interrupt_state()?;
        if !interrupt.can_pause() {
            let message = "the guest can start threads, which nothing pauses";
            return Err(Error::new(ErrorKind::UnsupportedFeature, message));
        }
        interrupt.pause(true);
        Ok(())
    }

    /// Lets the instance go on.
    ///
    /// # Errors
    /// [`ErrorKind::UnsupportedConfig`] where the runtime was made without interruption.
    pub fn resume(&self) -> Result<()> {
        self.interrupt_state()?.pause(false);
        Ok(())
    }

    pub(crate) fn check_interruptible(&self) -> Result<()> {
        self.interrupt_state().map(drop)
    }

    /// Stops the call that is in the instance, and refuses all further ones.
    pub(crate) fn close(&self) {
        self.status.close();
    }

    fn interrupt_state(&self) -> Result<&InterruptState> {
        self.status.interrupt().ok_or_else(uninterruptible)
    }
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Control({:?})", self.state())
    }
}

/// Refuses what needs a guest that can be interrupted.
pub(crate) fn uninterruptible() -> Error {
    let message = "the runtime does not interrupt its guests";
    Error::new(ErrorKind::UnsupportedConfig, message).with_hint("make it with `RuntimeConfig::with_interruption`")
}
