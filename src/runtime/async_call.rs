//! Calls that are awaited: the guest runs on a thread of its own, so that no executor is blocked.

use std::fmt;
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

/// What a call that is awaited comes to: the instance, given back, and the results.
pub type AsyncOutput = (Box<dyn WasmInstance>, Result<Vec<Value>>);

/// A call into an instance, which runs whether it is polled or not. Dropping it interrupts the guest and frees the
/// instance. It needs no executor of any kind; polling it after it ended panics, as futures may.
#[must_use = "dropping a call interrupts it"]
pub struct AsyncCall {
    ended: Receiver<thread::Result<AsyncOutput>>,
    taken: bool,
    control: Control,
}

impl AsyncCall {
    /// Starts calling the exported function `name`.
    ///
    /// # Errors
    /// [`ErrorKind::UnsupportedConfig`] where the instance's runtime was made without interruption, and
    /// [`ErrorKind::UnsupportedFeature`] where the guest waits on shared memory, since then dropping the call could not end
    /// it; [`ErrorKind::Internal`] where the system has no thread to give.
    pub fn start(mut instance: Box<dyn WasmInstance>, name: impl Into<String>, args: Vec<Value>) -> Result<Self> {
        let (done, ended) = oneshot::channel();
        let (control, name) = (instance.control(), name.into());
        control.check_interruptible()?;
        if instance.core().outlasts_its_time() {
            let message = "the guest waits on shared memory, where dropping the call would not end it";
            return Err(Error::new(ErrorKind::UnsupportedFeature, message));
        }
        let call = move || {
            let called = panic::catch_unwind(AssertUnwindSafe(move || {
                let result = instance.call(&name, &args);
                (instance, result)
            }));
            // Nobody waits any more: the instance is freed here.
            drop(done.send(called));
        };
        let started = thread::Builder::new().name("wrun guest".to_owned()).spawn(call);
        started.map_err(|error| Error::new(ErrorKind::Internal, format!("no thread for a guest: {error}")))?;
        Ok(Self { ended, taken: false, control })
    }

    /// A handle to watch, stop and pause the guest.
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
        match ended.expect("a call that ended is not polled again") {
            Ok(ended) => Poll::Ready(ended),
            Err(panic) => panic::resume_unwind(panic),
        }
    }
}

impl Drop for AsyncCall {
    fn drop(&mut self) {
        // An instance that was given back is its owner's again.
        if !self.taken {
            self.control.close();
        }
    }
}

impl fmt::Debug for AsyncCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncCall").field("control", &self.control).finish_non_exhaustive()
    }
}
