//! The times of files and directories. WASIX would use the monotonic clock as the current time, and set the times of a
//! directory only in its own records.

use std::fs::FileTimes;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use virtual_fs::FsError;
use wasmer::{AsStoreMut, Function, FunctionEnv, Value};
use wasmer_wasix::WasiEnv;
use wasmer_wasix::fs::fs_error_into_wasi_err;
use wasmer_wasix::wasmer_wasix_types::wasi::Errno;

use super::super::calls::{self, CallResult, Env, call, number, unsigned};
use super::convert;
use super::granted_fs::GrantedFs;
use super::sync::open_dir;

/// The times to set, in nanoseconds since 1970.
#[derive(Clone, Copy)]
pub(super) struct Times {
    accessed: Option<u64>,
    modified: Option<u64>,
}

impl Times {
    /// Returns the times from the last arguments of a call: two times, and the flags that say which to set. `None` if flags
    /// contradict each other.
    pub(super) fn from_args(args: &[Value]) -> Option<Self> {
        let [Value::I64(accessed), Value::I64(modified), Value::I32(flags)] = args else { return None };
        let time = |given: &i64, set: i32, now: i32| match (flags & set != 0, flags & now != 0) {
            (true, true) => None,
            (true, false) => Some(Some(given.cast_unsigned())),
            (false, true) => {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                Some(Some(u64::try_from(now.as_nanos()).unwrap_or(u64::MAX)))
            }
            (false, false) => Some(None),
        };
        Some(Self { accessed: time(accessed, 1, 2)?, modified: time(modified, 4, 8)? })
    }

    pub(super) fn is_empty(self) -> bool {
        self.accessed.is_none() && self.modified.is_none()
    }

    /// Sets the times at a path in its file system, and returns the errno.
    pub(super) fn set_at(self, found: Option<(GrantedFs, PathBuf)>) -> i32 {
        let time = |nanoseconds| UNIX_EPOCH + Duration::from_nanos(nanoseconds);
        let times = FileTimes::new();
        let times = self.accessed.map_or(times, |accessed| times.set_accessed(time(accessed)));
        let times = self.modified.map_or(times, |modified| times.set_modified(time(modified)));
        let set = found.map_or(Err(FsError::PermissionDenied), |(files, path)| files.set_times(&path, times));
        set.map_or_else(|error| number(fs_error_into_wasi_err(error)), |()| 0)
    }

    /// Returns the last arguments of a call that sets these times.
    fn args(self) -> [Value; 3] {
        let flag = |time: Option<u64>, flag| if time.is_some() { flag } else { 0 };
        let nanoseconds = |time: Option<u64>| Value::I64(time.unwrap_or_default().cast_signed());
        let flags = flag(self.accessed, 1) | flag(self.modified, 4);
        [nanoseconds(self.accessed), nanoseconds(self.modified), Value::I32(flags)]
    }
}

/// Returns the corrected function with this name, if it sets times by descriptor.
pub(in super::super) fn corrected(
    store: &mut impl AsStoreMut,
    env: &FunctionEnv<WasiEnv>,
    get: impl Fn(&str) -> Option<Function>,
    name: &str,
) -> Option<Function> {
    if name != "fd_filestat_set_times" {
        return None;
    }
    let (function, list) = (get(name)?, get("fd_readdir")?);
    let ty = function.ty(store);
    Some(calls::function(store, env, ty, move |env, args| {
        convert::forget_errno();
        set_times(env, &function, &list, args).map(convert::exact_errno)
    }))
}

/// Sets the times of an open file or directory.
fn set_times(env: &mut Env<'_>, function: &Function, list: &Function, args: &[Value]) -> CallResult {
    let Some(times) = args.get(1..).and_then(Times::from_args) else { return Ok(number(Errno::Inval)) };
    let descriptor = args[0].clone();
    let set = |env: &mut Env<'_>, times: Times| {
        let [accessed, modified, flags] = times.args();
        call(function, env, &[descriptor.clone(), accessed, modified, flags])
    };
    // Checks the descriptor and its rights.
    let errno = set(env, Times { accessed: None, modified: None })?;
    if errno != 0 || times.is_empty() {
        return Ok(errno);
    }
    let (errno, dir) = open_dir(env, list, &descriptor)?;
    let errno = if errno == number(Errno::Notdir) {
        let file = env.data().std_dev_get(unsigned(args, 0));
        let Ok(Some(mut file)) = file else { return Ok(number(Errno::Badf)) };
        let set = file.set_times(times.accessed, times.modified);
        set.map_or_else(|error| number(fs_error_into_wasi_err(error)), |()| 0)
    } else {
        times.set_at(dir)
    };
    // Update the times in WASIX's own records too.
    if errno == 0 { set(env, times) } else { Ok(errno) }
}
