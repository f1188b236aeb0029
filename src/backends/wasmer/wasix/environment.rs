//! What WASIX shows to a guest: what it was granted.

use std::sync::Arc;

use virtual_fs::FileSystem;
use wasmer_wasix::capabilities::CapabilityThreadingV1;
use wasmer_wasix::{WasiEnv, WasiEnvBuilder};

use super::files::file_system;
use super::stdio::{input, output};
use super::system::System;
use super::thread_group::ThreadGroup;
use crate::capabilities::Capabilities;
use crate::error::{Error, ErrorKind, Result};
use crate::limits::MAX_THREADS;

/// The environment of a guest of these capabilities, which were checked.
pub(super) fn environment(
    capabilities: &Capabilities,
    system: Arc<System>,
    thread_group: &Arc<ThreadGroup>,
) -> Result<WasiEnv> {
    let failed = |error: String| Error::new(ErrorKind::Grant, format!("WASIX cannot be had as granted: {error}"));
    let mut builder = WasiEnvBuilder::new("");
    (*builder.get_args_mut()).clone_from(&capabilities.args);
    builder.add_envs(capabilities.env.iter().map(|(name, value)| (name, value)));
    builder.set_runtime(system);
    builder.set_disable_default_builtins(true);
    let files: Arc<dyn FileSystem + Send + Sync> = Arc::new(file_system(&capabilities.dirs)?);
    builder.set_fs(files);
    // All there is, by the two names that programs look for. Where the guest may write, its file system knows.
    let here = builder.add_preopen_build(|dir| dir.directory("/").alias(".").read(true).write(true).create(true));
    let root = builder.add_preopen_build(|dir| dir.directory("/").read(true).write(true).create(true));
    here.and(root).map_err(|error| failed(error.to_string()))?;
    builder.set_stdin(input(&capabilities.stdin, thread_group));
    builder.set_stdout(output(&capabilities.stdout, 1, thread_group)?);
    builder.set_stderr(output(&capabilities.stderr, 2, thread_group)?);
    builder.capabilities_mut().threading =
        CapabilityThreadingV1 { max_threads: Some(MAX_THREADS), ..CapabilityThreadingV1::default() };
    builder.build().map_err(|error| failed(error.to_string()))
}
