//! What one guest sees of the world: made of its capabilities, and of nothing else.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::runtime::{Builder, Handle, Runtime};
use wasmtime_wasi::p1::WasiP1Ctx;
use wasmtime_wasi::p2::pipe::{MemoryInputPipe, MemoryOutputPipe};
use wasmtime_wasi::{FsPerms, WasiCtxBuilder};

use super::clocks::SteppedClock;
use super::output::Inherited;
use crate::capabilities::{Access, Capabilities, Captured, Input, MAX_CAPTURED_BYTES, Output};
use crate::error::{Error, ErrorKind, Result};
use crate::runtime::host::{HostError, InterruptToken};

/// How often a guest that waits looks at its orders.
const LOOK: Duration = Duration::from_millis(5);

/// The most random bytes made in one call, which are made before it is known whether the guest has room for them.
const MOST_RANDOM: u64 = 1 << 20;

/// The state of WASI for one instance.
pub(super) struct WasiState {
    pub(super) wasi: WasiP1Ctx,
    pub(super) waiter: Waiter,
}

impl WasiState {
    /// The world of these capabilities, which were checked.
    pub(super) fn new(capabilities: &Capabilities) -> Result<Self> {
        let mut builder = WasiCtxBuilder::new();
        // Calls of files are made on the guest's own thread, which waits for them anyway.
        builder.allow_blocking_current_thread(true).max_random_size(MOST_RANDOM);
        builder.args(&capabilities.args).envs(&capabilities.env);
        for grant in &capabilities.dirs {
            let permissions = match grant.access {
                Access::ReadOnly => FsPerms::ReadOnly,
                Access::ReadWrite => FsPerms::ReadWrite,
            };
            builder.preopened_dir(&grant.host, &grant.guest, permissions).map_err(|error| {
                Error::new(ErrorKind::Grant, format!("the folder {}: {error:#}", grant.host.display()))
            })?;
        }
        match &capabilities.stdin {
            Input::Empty => &mut builder,
            Input::Inherit => builder.inherit_stdin(),
            Input::Bytes(bytes) => builder.stdin(MemoryInputPipe::new(bytes.clone())),
        };
        match &capabilities.stdout {
            Output::Discard => &mut builder,
            Output::Inherit => builder.stdout(Inherited::new()),
            Output::Capture(captured) => builder.stdout(pipe_to(captured)?),
        };
        match &capabilities.stderr {
            Output::Discard => &mut builder,
            Output::Inherit => builder.inherit_stderr(),
            Output::Capture(captured) => builder.stderr(pipe_to(captured)?),
        };
        if let Some(seed) = capabilities.seed {
            let clock = SteppedClock::default();
            builder.wall_clock(clock.clone()).monotonic_clock(clock);
            builder.secure_random(StdRng::seed_from_u64(seed));
            builder.insecure_random(StdRng::seed_from_u64(seed)).insecure_random_seed(seed.into());
        }
        Ok(Self { wasi: builder.build_p1(), waiter: Waiter::default() })
    }
}

/// The pipe of an output that is captured.
fn pipe_to(captured: &Captured) -> Result<MemoryOutputPipe> {
    let pipe = MemoryOutputPipe::new(MAX_CAPTURED_BYTES);
    let reader = pipe.clone();
    captured.read_from(move || reader.contents().to_vec())?;
    Ok(pipe)
}

/// Waiting for what is not ready at once: a clock, standard input. Most calls never do, and need no runtime.
#[derive(Debug, Default)]
pub(super) struct Waiter {
    runtime: Option<Runtime>,
}

impl Waiter {
    /// The outcome of a call that may have to wait, but uses no clock.
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

    /// The outcome of a call that waits. Where the guest is ordered to stop meanwhile, there is none.
    pub(super) fn wait<F: Future + Send>(
        &mut self,
        future: F,
        interrupt_token: &InterruptToken,
    ) -> Result<F::Output, HostError>
    where
        F::Output: Send,
    {
        let runtime = match &mut self.runtime {
            Some(runtime) => runtime,
            none => none.insert(Builder::new_current_thread().enable_time().build()?),
        };
        let wait = || {
            runtime.block_on(async {
                let mut future = pin!(future);
                loop {
                    match tokio::time::timeout(LOOK, future.as_mut()).await {
                        Ok(output) => return Ok(output),
                        Err(_) => interrupt_token.check_interrupt()?,
                    }
                }
            })
        };
        if Handle::try_current().is_err() {
            return wait();
        }
        // Whoever calls the guest is a task of a runtime, inside of which no other may block this thread.
        std::thread::scope(|scope| match scope.spawn(wait).join() {
            Ok(waited) => waited,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    }

    /// Sleeps, unless the guest is ordered to stop meanwhile.
    pub(super) fn sleep(&mut self, time: Duration, interrupt_token: &InterruptToken) -> Result<(), HostError> {
        self.wait(async move { tokio::time::sleep(time).await }, interrupt_token)
    }
}
