//! Runs futures of guest code.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use super::super::stack;
use super::embedder_runtime;
use super::stacks::Stacks;
use crate::error::{Error, ErrorKind, Result};
use crate::runtime::host::HostFailure;
use crate::runtime::status::InstanceStatus;
use crate::wasi::component::Linked;

/// The time between two checks for an interrupt while a guest waits.
const CHECK_INTERVAL: Duration = Duration::from_millis(5);

/// Wakes the thread that runs a future.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// How the guest code of a component runs.
pub(super) struct Execution {
    /// The parts of WASI that the component uses.
    pub(super) wasi: Linked,
    /// Whether guest code may wait. It then runs on a separate stack, which is slower.
    pub(super) is_async: bool,
    /// The stack that a call needs if it runs on this thread's stack, in bytes.
    pub(super) stack_bytes: usize,
    /// The other stacks on which the guest code runs.
    pub(super) stacks: Stacks,
}

impl Execution {
    /// Runs guest code that never waits.
    pub(super) fn run_sync<T>(&self, guest: impl FnOnce() -> wasmtime::Result<T>) -> wasmtime::Result<T> {
        stack::with_room(self.stack_bytes, guest)
    }

    /// Runs guest code, and waits while it has to. Answers requests to stop and pause while it waits; the engine does so while
    /// guest code runs.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] if the system refuses the thread or the descriptors that watch timers and sockets.
    pub(super) fn run_async<T>(
        &self,
        status: &InstanceStatus,
        guest: impl Future<Output = wasmtime::Result<T>>,
    ) -> Result<wasmtime::Result<T>> {
        let _embedder = embedder_runtime::keep();
        let _entered = self.wasi.enter().map_err(no_reactor)?;
        let _stacks = self.stacks.enter();
        let _fibers = stack::on_fibers();
        // If the caller is a task of a tokio runtime, its budget does not concern the guest.
        let mut guest = pin!(tokio::task::unconstrained(guest));
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        loop {
            if let Poll::Ready(output) = guest.as_mut().poll(&mut Context::from_waker(&waker)) {
                return Ok(output);
            }
            if let Err(stop) = status.check_interrupt() {
                return Ok(Err(wasmtime::Error::new(HostFailure(stop.into()))));
            }
            thread::park_timeout(CHECK_INTERVAL);
        }
    }
}

#[cold]
fn no_reactor(error: io::Error) -> Error {
    Error::new(ErrorKind::Io, "cannot watch timers and sockets for the component").with_source(error)
}
