//! Blocking on futures inside a host call, with interruption.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};

use crate::runtime::host::{HostError, InterruptToken};

/// The time between two checks for an interrupt.
const CHECK_INTERVAL: Duration = Duration::from_millis(5);

/// Blocks on futures that are not ready at once: timers, standard input, HTTP requests. Creates a tokio runtime for the first
/// of them, since most guests need none.
#[derive(Debug, Default)]
pub(crate) struct Waiter {
    runtime: Option<Runtime>,
    uses_network: bool,
}

impl Waiter {
    /// Creates a waiter for futures that may use sockets.
    #[cfg(feature = "http")]
    pub(crate) fn with_network() -> Self {
        Self { runtime: None, uses_network: true }
    }

    /// Returns the output of a future that uses no timer. Needs no tokio runtime if the future is ready at once.
    ///
    /// # Errors
    /// The interrupt, if there is one before the future is ready.
    pub(super) fn finish<F: Future + Send>(
        &mut self,
        future: F,
        interrupt_token: &InterruptToken,
    ) -> Result<F::Output, HostError>
    where
        F::Output: Send,
    {
        let mut future = pin!(future);
        match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(output) => Ok(output),
            Poll::Pending => self.wait(future, interrupt_token),
        }
    }

    /// Returns the output of any future.
    ///
    /// # Errors
    /// The interrupt, if there is one before the future is ready.
    pub(crate) fn wait<F: Future + Send>(
        &mut self,
        future: F,
        interrupt_token: &InterruptToken,
    ) -> Result<F::Output, HostError>
    where
        F::Output: Send,
    {
        let runtime = match &mut self.runtime {
            Some(runtime) => runtime,
            none => {
                let mut builder = Builder::new_current_thread();
                if self.uses_network {
                    builder.enable_io();
                }
                none.insert(builder.enable_time().build()?)
            }
        };
        let wait = || {
            runtime.block_on(async {
                let mut future = pin!(future);
                loop {
                    match tokio::time::timeout(CHECK_INTERVAL, future.as_mut()).await {
                        Ok(output) => return Ok(output),
                        Err(_) => interrupt_token.check_interrupt()?,
                    }
                }
            })
        };
        if Handle::try_current().is_err() {
            return wait();
        }
        // The caller is a task of another tokio runtime, which forbids blocking its thread.
        std::thread::scope(|scope| match scope.spawn(wait).join() {
            Ok(output) => output,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        // Tokio panics if a runtime is dropped in a task of another one, unless it does not wait for its threads. This one has none.
        self.runtime.take().into_iter().for_each(Runtime::shutdown_background);
    }
}
