//! The WASI state of one instance, built from its capabilities alone.

use rand::SeedableRng;
use rand::rngs::StdRng;
use wasmtime_wasi::p1::WasiP1Ctx;
use wasmtime_wasi::p2::pipe::MemoryInputPipe;
use wasmtime_wasi::{FsPerms, WasiCtxBuilder};

use super::clocks::SteppedClock;
use super::output::{CapturedOutput, InheritedStdout};
use super::waiter::Waiter;
use crate::capabilities::{Access, Capabilities, Input, Output};
use crate::error::{Error, ErrorKind, Result};

/// The most random bytes per call. They are generated before the guest's buffer is checked.
const MAX_RANDOM: u64 = 1 << 20;

/// The state of WASI for one instance.
pub(super) struct WasiState {
    pub(super) wasi: WasiP1Ctx,
    pub(super) waiter: Waiter,
}

impl WasiState {
    /// Builds the state from capabilities that [`check_grants`](crate::runtime::preflight::check_grants) accepted.
    ///
    /// # Errors
    /// [`ErrorKind::Grant`] if a granted directory cannot be opened.
    pub(super) fn new(capabilities: &Capabilities) -> Result<Self> {
        let mut builder = WasiCtxBuilder::new();
        // Do file I/O on the guest's own thread, which waits for it anyway.
        builder.allow_blocking_current_thread(true).max_random_size(MAX_RANDOM);
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
            Input::Inherit => builder.inherit_stdin(),
            Input::Bytes(bytes) => builder.stdin(MemoryInputPipe::new(bytes.clone())),
        };
        match &capabilities.stdout {
            Output::Discard => &mut builder,
            Output::Inherit => builder.stdout(InheritedStdout(std::io::stdout())),
            Output::Capture(captured) => builder.stdout(CapturedOutput::new(captured)?),
        };
        match &capabilities.stderr {
            Output::Discard => &mut builder,
            Output::Inherit => builder.inherit_stderr(),
            Output::Capture(captured) => builder.stderr(CapturedOutput::new(captured)?),
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
