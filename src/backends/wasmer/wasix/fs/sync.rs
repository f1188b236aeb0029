//! `fd_sync` and `fd_datasync`, which wait for the disk. WASIX would only flush its buffers, and refuse directories.

use std::cell::Cell;
use std::path::PathBuf;

use wasmer::{AsStoreMut, Function, FunctionEnv, RuntimeError, Value};
use wasmer_wasix::WasiEnv;
use wasmer_wasix::fs::fs_error_into_wasi_err;
use wasmer_wasix::wasmer_wasix_types::wasi::Errno;

use super::super::calls::{self, Env, call, number};
use super::convert;
use super::granted_fs::{GrantedFs, observe};
use super::pretend::with_mode;

thread_local! {
    /// Whether a flush of a file waits for the disk.
    static SYNCING: Cell<bool> = const { Cell::new(false) };
}

/// Returns whether a flush of a file on this thread waits for the disk.
pub(super) fn is_syncing() -> bool {
    SYNCING.get()
}

/// Returns the corrected function with this name, if it waits for the disk.
pub(in super::super) fn corrected(
    store: &mut impl AsStoreMut,
    env: &FunctionEnv<WasiEnv>,
    get: impl Fn(&str) -> Option<Function>,
    name: &str,
) -> Option<Function> {
    if !matches!(name, "fd_sync" | "fd_datasync") {
        return None;
    }
    // WASIX requires more rights for `fd_datasync`.
    let (function, list) = (get("fd_sync")?, get("fd_readdir")?);
    let ty = function.ty(store);
    Some(calls::function(store, env, ty, move |env, args| {
        convert::forget_errno();
        let errno = with_mode(&SYNCING, true, || call(&function, env, args));
        let errno = convert::exact_errno(errno?);
        if errno != number(Errno::Isdir) {
            return Ok(errno);
        }
        let Some((files, path)) =
            args.first().map(|dir| open_dir(env, &list, dir)).transpose()?.and_then(|(_, dir)| dir)
        else {
            return Ok(0);
        };
        Ok(files.sync_dir(&path).map_or_else(|error| number(fs_error_into_wasi_err(error)), |()| 0))
    }))
}

/// Lists an open directory. Returns the errno, and the path: WASIX reads it from the file system. The address of the length is
/// outside the memory, so nothing is written.
pub(super) fn open_dir(
    env: &mut Env<'_>,
    list: &Function,
    descriptor: &Value,
) -> Result<(i32, Option<(GrantedFs, PathBuf)>), RuntimeError> {
    let args = [descriptor.clone(), Value::I32(0), Value::I32(0), Value::I64(0), Value::I32(-1)];
    let (errno, found) = observe(|| call(list, env, &args));
    Ok((errno?, found))
}
