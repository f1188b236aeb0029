//! The WASI state of one instance, built from its capabilities alone.

use wasmtime_wasi::p1::WasiP1Ctx;
use wasmtime_wasi::p2::pipe::MemoryInputPipe;
use wasmtime_wasi::{FsPerms, WasiCtxBuilder};

use super::clocks::SteppedClock;
use super::listings::Listings;
use super::output::{CapturedOutput, InheritedStdout};
use super::random::{self, RandomSource};
use super::stdio::{ProcessInput, ProcessOutput};
use super::waiter::Waiter;
use crate::capabilities::{Access, Capabilities, Input, Output};
use crate::error::{Error, ErrorKind, Result};

/// The state of WASI for one instance.
pub(super) struct WasiState {
    pub(super) wasi: WasiP1Ctx,
    pub(super) waiter: Waiter,
    pub(super) random: RandomSource,
    pub(super) listings: Listings,
}

impl WasiState {
    /// Builds the state from capabilities that [`check_grants`](crate::runtime::preflight::check_grants) accepted.
    ///
    /// # Errors
    /// [`ErrorKind::Grant`] if a granted directory cannot be opened, [`ErrorKind::Internal`] if the system has no random numbers.
    pub(super) fn new(capabilities: &Capabilities) -> Result<Self> {
        random::check_system()?;
        let mut builder = WasiCtxBuilder::new();
        // Do file I/O on the guest's own thread, which waits for it anyway.
        builder.allow_blocking_current_thread(true);
        builder.args(&capabilities.args).envs(&capabilities.env);
        for grant in &capabilities.dirs {
            let permissions = match grant.access {
                Access::ReadOnly => FsPerms::ReadOnly,
                Access::ReadWrite => FsPerms::ReadWrite,
            };
            builder.preopened_dir(&grant.host, &grant.guest, permissions).map_err(|error| {
                let message = format!("cannot grant the directory {}: {error:#}", grant.host.display());
                Error::new(ErrorKind::Grant, message)
            })?;
        }
        match &capabilities.stdin {
            Input::Empty => &mut builder,
            Input::Inherit => builder.stdin(ProcessInput),
            Input::Bytes(bytes) => builder.stdin(MemoryInputPipe::new(bytes.clone())),
        };
        match &capabilities.stdout {
            Output::Discard => &mut builder,
            Output::Inherit => builder.stdout(InheritedStdout),
            Output::Capture(captured) => builder.stdout(CapturedOutput::new(captured)?),
        };
        match &capabilities.stderr {
            Output::Discard => &mut builder,
            Output::Inherit => builder.stderr(ProcessOutput::Stderr),
            Output::Capture(captured) => builder.stderr(CapturedOutput::new(captured)?),
        };
        if capabilities.seed.is_some() {
            let clock = SteppedClock::default();
            builder.wall_clock(clock.clone()).monotonic_clock(clock);
        }
        let random = RandomSource::new(capabilities.seed);
        Ok(Self { wasi: builder.build_p1(), waiter: Waiter::default(), random, listings: Listings::default() })
    }
}
