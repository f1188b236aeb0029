//! The parts of WASI that all its versions share, built from the capabilities of an instance alone.

use std::sync::Arc;

use wasmtime_wasi::cli::StdoutStream;
use wasmtime_wasi::p2::pipe::MemoryInputPipe;
use wasmtime_wasi::{FsPerms, WasiCtxBuilder};

use super::clocks::SteppedClock;
use super::output::{CapturedOutput, InheritedStdout};
use super::random;
use super::stdio::{ProcessInput, ProcessOutput};
use crate::capabilities::{Access, Capabilities, Input, Output};
use crate::error::{Error, ErrorKind, Result};
use crate::escape::EscapedPath;

/// An output that several parts of one instance write to.
pub(super) type SharedOutput = Arc<dyn StdoutStream + Send + Sync>;

/// Creates the standard output of an instance.
///
/// # Errors
/// [`ErrorKind::Grant`] if another instance uses the capture.
pub(super) fn stdout(capabilities: &Capabilities) -> Result<SharedOutput> {
    output(&capabilities.stdout, InheritedStdout)
}

fn output(output: &Output, inherited: impl StdoutStream + Sync + 'static) -> Result<SharedOutput> {
    Ok(match output {
        Output::Discard => Arc::new(CapturedOutput::discard()),
        Output::Inherit => Arc::new(inherited),
        Output::Stderr => Arc::new(ProcessOutput::Stderr),
        Output::Capture(captured) => Arc::new(CapturedOutput::new(captured)?),
    })
}

/// Creates a builder with the arguments, variables, directories, streams and clocks of an instance, from capabilities that
/// [`check_grants`](crate::runtime::preflight::check_grants) accepted.
///
/// # Errors
/// [`ErrorKind::Grant`] if a granted directory cannot be opened, [`ErrorKind::Internal`] if the system has no random numbers.
pub(super) fn builder(capabilities: &Capabilities, stdout: SharedOutput) -> Result<WasiCtxBuilder> {
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
            let message = format!("cannot grant the directory {}: {error:#}", EscapedPath(&grant.host));
            Error::new(ErrorKind::Grant, message)
        })?;
    }
    match &capabilities.stdin {
        Input::Empty => &mut builder,
        Input::Inherit => builder.stdin(ProcessInput),
        Input::Bytes(bytes) => builder.stdin(MemoryInputPipe::new(bytes.clone())),
    };
    builder.stdout(stdout).stderr(output(&capabilities.stderr, ProcessOutput::Stderr)?);
    if capabilities.seed.is_some() {
        let clock = SteppedClock::default();
        builder.wall_clock(clock.clone()).monotonic_clock(clock);
    }
    Ok(builder)
}
