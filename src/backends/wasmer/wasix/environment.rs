//! The WASIX environment of a program, built from its capabilities.

use std::sync::Arc;

use virtual_fs::FileSystem;
use wasmer_wasix::capabilities::CapabilityThreadingV1;
use wasmer_wasix::{WasiEnv, WasiEnvBuilder};

use super::fs::file_system;
use super::stdio::{input, output};
use super::system::System;
use super::thread_group::ThreadGroup;
use crate::capabilities::Capabilities;
use crate::error::{Error, ErrorKind, Result};
use crate::limits::MAX_THREADS;

/// Builds the environment from checked capabilities.
///
/// # Errors
/// [`ErrorKind::Grant`] if a directory cannot be granted or WASIX cannot be set up.
pub(super) fn environment(
    capabilities: &Capabilities,
    system: Arc<System>,
    thread_group: &Arc<ThreadGroup>,
) -> Result<WasiEnv> {
    let failed = |error: String| Error::new(ErrorKind::Grant, format!("cannot set up WASIX: {error}"));
    let mut builder = WasiEnvBuilder::new("");
    (*builder.get_args_mut()).clone_from(&capabilities.args);
    builder.add_envs(capabilities.env.iter().map(|(name, value)| (name, value)));
    builder.set_runtime(system);
    builder.set_disable_default_builtins(true);
    let files: Arc<dyn FileSystem + Send + Sync> = Arc::new(file_system(&capabilities.dirs)?);
    builder.set_fs(files);
    // Preopen the root under both names that programs use. The file system itself decides where the guest may write.
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
