//! Asynchronous calls. The guest runs on its own thread, so it does not block an executor.

use std::future::Future;
use std::panic::{self, AssertUnwindSafe};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::thread;

use futures_channel::oneshot::{self, Receiver};

use crate::error::{Error, ErrorKind, Result};
use crate::runtime::control::Control;
use crate::runtime::traits::WasmInstance;
use crate::value::types::Value;

/// The instance, and the results of the call.
pub type AsyncOutput = (Box<dyn WasmInstance>, Result<Vec<Value>>);

/// A running call. It runs even if it is not polled, and works with any executor. Dropping it interrupts the guest and drops
/// the instance. Polling it after it completed panics.
#[must_use = "dropping a call interrupts it"]
#[derive(derive_more::Debug)]
pub struct AsyncCall {
    #[debug(skip)]
    ended: Receiver<thread::Result<AsyncOutput>>,
    taken: bool,
    control: Control,
}

impl AsyncCall {
    /// Starts a call of the exported function `name`.
    ///
    /// # Errors
    /// [`ErrorKind::UnsupportedConfig`] if the runtime was created without interruption; [`ErrorKind::UnsupportedFeature`] if
    /// the guest waits on shared memory, because dropping the call could not end it; [`ErrorKind::Io`] if the system
    /// cannot create a thread.
    pub fn start(mut instance: Box<dyn WasmInstance>, name: impl Into<String>, args: Vec<Value>) -> Result<Self> {
        let (done, ended) = oneshot::channel();
        let (control, name) = (instance.control(), name.into());
        control.check_interruptible()?;
        if instance.core().may_wait_forever() {
            let message = "the guest waits on shared memory, so dropping the call would not end it";
            return Err(Error::new(ErrorKind::UnsupportedFeature, message));
        }
        let call = move || {
            let called = panic::catch_unwind(AssertUnwindSafe(move || {
                let result = instance.call(&name, &args);
                (instance, result)
            }));
            // If the call was dropped, `send` fails and this drops the instance.
            drop(done.send(called));
        };
        let started = thread::Builder::new().name("wrun guest".to_owned()).spawn(call);
        started.map_err(|error| Error::new(ErrorKind::Io, format!("cannot create a thread for the guest: {error}")))?;
        Ok(Self { ended, taken: false, control })
    }

    /// Returns a handle to watch, stop and pause the guest.
    #[must_use]
    pub fn control(&self) -> &Control {
        &self.control
    }
}

impl Future for AsyncCall {
    type Output = AsyncOutput;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<AsyncOutput> {
        let Poll::Ready(ended) = Pin::new(&mut self.ended).poll(context) else { return Poll::Pending };
        self.taken = true;
        match ended.expect("a completed call is not polled again") {
            Ok(ended) => Poll::Ready(ended),
            Err(panic) => panic::resume_unwind(panic),
        }
    }
}

impl Drop for AsyncCall {
    fn drop(&mut self) {
        // After completion, the instance belongs to the caller again.
        if !self.taken {
            self.control.close();
        }
    }
}
