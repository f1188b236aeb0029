//! Controls an instance from other threads.

use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::runtime::interrupt::{InterruptState, StopReason};
use crate::runtime::status::{InstanceState, InstanceStatus};

/// Watches, stops and pauses an instance from any thread, even during a call. A clone controls the same instance. A control
/// does not keep the instance alive.
///
/// All methods except [`Control::state`] need a runtime with
/// [`RuntimeConfig::with_interruption`](crate::RuntimeConfig::with_interruption). Nothing stops or pauses a host function before
/// it returns, a bulk operator (such as `memory.fill`) before it ends, or a wait on shared memory (except in a WASIX
/// program).
#[derive(Clone, derive_more::Debug)]
#[debug("Control({:?})", self.state())]
pub struct Control {
    status: Arc<InstanceStatus>,
}

impl Control {
    pub(crate) fn new(status: &Arc<InstanceStatus>) -> Self {
        Self { status: Arc::clone(status) }
    }

    /// Returns the state of the instance, or its last state if it was dropped.
    #[must_use]
    pub fn state(&self) -> InstanceState {
        self.status.state()
    }

    /// Stops the running or paused call. The call fails with [`ErrorKind::Interrupted`] and leaves the instance crashed.
    /// Returns immediately, with whether a call was running.
    ///
    /// # Errors
    /// [`ErrorKind::UnsupportedConfig`] if the runtime was created without interruption.
    pub fn interrupt(&self) -> Result<bool> {
        Ok(self.interrupt_state()?.request_stop(StopReason::Interrupted))
    }

    /// Pauses the instance until [`Control::resume`]. On Wasmtime, a running call pauses at its next function entry, loop
    /// iteration or host call; on Wasmer, at its next host call. A later call pauses before it begins. A paused call does
    /// not use up its time limit.
    ///
    /// # Errors
    /// [`ErrorKind::UnsupportedConfig`] if the runtime was created without interruption;
    /// [`ErrorKind::UnsupportedFeature`] if the guest can start threads, which cannot be paused.
    pub fn pause(&self) -> Result<()> {
        let interrupt = self.interrupt_state()?;
        if !interrupt.can_pause() {
            let message = "the guest can start threads, which cannot be paused";
            return Err(Error::new(ErrorKind::UnsupportedFeature, message));
        }
        interrupt.request_pause(true);
        Ok(())
    }

    /// Resumes a paused instance.
    ///
    /// # Errors
    /// [`ErrorKind::UnsupportedConfig`] if the runtime was created without interruption.
    pub fn resume(&self) -> Result<()> {
        self.interrupt_state()?.request_pause(false);
        Ok(())
    }

    pub(crate) fn check_interruptible(&self) -> Result<()> {
        self.interrupt_state().map(drop)
    }

    /// Stops the running call and refuses all further calls.
    pub(crate) fn close(&self) {
        self.status.close();
    }

    fn interrupt_state(&self) -> Result<&InterruptState> {
        self.status.interrupt().ok_or_else(uninterruptible)
    }
}

/// The error for an operation that needs interruption.
pub(crate) fn uninterruptible() -> Error {
    let message = "the runtime was created without interruption";
    Error::new(ErrorKind::UnsupportedConfig, message).with_hint("create it with `RuntimeConfig::with_interruption`")
}
