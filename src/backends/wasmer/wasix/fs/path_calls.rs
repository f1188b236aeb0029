//! Corrections of the path functions of WASIX, so that they behave as on Linux and never panic.
//!
//! WASIX resolves the paths. The wrapper looks at the text of a path (empty, too long, ending in `/`, `.` or `..`), asks WASIX
//! about its parts with calls that change nothing and write no memory, and then calls the function, or returns an errno.

use std::path::PathBuf;

use futures_util::FutureExt;
use virtual_fs::FileSystem;
use wasmer::{AsStoreMut, Function, FunctionEnv, RuntimeError, Value};
use wasmer_wasix::WasiEnv;
use wasmer_wasix::fs::fs_error_into_wasi_err;
use wasmer_wasix::wasmer_wasix_types::wasi::{Errno, Rights};

use super::super::calls::{self, CallResult, Env, SYNC, call, has_all_descriptors, number, read, unsigned};
use super::convert;
use super::granted_fs::observe;
use super::guest_path::{GuestPath, Last, guest_path};
use super::pretend::{pretend, rename_only_dirs};
use super::times::Times;

/// The functions, each with the arguments of its paths: the index of the directory, and of the pointer to the path. The
/// argument after the pointer is the length.
const FUNCTIONS: &[(&str, &[(usize, usize)])] = &[
    ("path_create_directory", &[(0, 1)]),
    ("path_filestat_get", &[(0, 2)]),
    ("path_filestat_set_times", &[(0, 2)]),
    ("path_open", &[(0, 2)]),
    ("path_open2", &[(0, 2)]),
    ("path_readlink", &[(0, 1)]),
    ("path_remove_directory", &[(0, 1)]),
    ("path_rename", &[(0, 1), (3, 4)]),
    ("path_symlink", &[(2, 3)]),
    ("path_unlink_file", &[(0, 1)]),
];

/// The lookup flag that follows a symbolic link at the end of a path.
const FOLLOW: i32 = 1;
/// The open flags.
const CREATE: i32 = 1;
const DIRECTORY: i32 = 2;
const EXCLUSIVE: i32 = 4;
const TRUNCATE: i32 = 8;
/// The descriptor flag for appending.
const APPEND: i32 = 1;

/// Returns the corrected function with this name, if it has a correction. `get` returns the original functions.
pub(in super::super) fn corrected(
    store: &mut impl AsStoreMut,
    env: &FunctionEnv<WasiEnv>,
    get: impl Fn(&str) -> Option<Function>,
    name: &str,
) -> Option<Function> {
    let (name, paths) = FUNCTIONS.iter().find(|(corrected, _)| *corrected == name)?;
    let calls = Calls {
        function: get(name)?,
        look_up: get("path_filestat_set_times")?,
        read_link: get("path_readlink")?,
        open: get("path_open")?,
        close: get("fd_close")?,
        symlink: get("path_symlink")?,
        unlink: get("path_unlink_file")?,
    };
    let ty = calls.function.ty(store);
    Some(calls::function(store, env, ty, move |env, args| {
        convert::forget_errno();
        calls.correct(env, name, paths, args).map(convert::exact_errno)
    }))
}

/// The functions of WASIX that a corrected function calls.
struct Calls {
    function: Function,
    look_up: Function,
    read_link: Function,
    open: Function,
    close: Function,
    symlink: Function,
    unlink: Function,
}

impl Calls {
    /// Calls the function with this name, and returns its errno.
    fn correct(&self, env: &mut Env<'_>, name: &str, paths: &[(usize, usize)], args: &[Value]) -> CallResult {
        if name.starts_with("path_open") && has_all_descriptors(env, 0) {
            return Ok(number(Errno::Mfile));
        }
        let mut found = [None; 2];
        for (found, (dir, pointer)) in found.iter_mut().zip(paths) {
            match guest_path(env, args, *dir, *pointer) {
                Ok(path) => *found = Some(path),
                Err(errno) => return Ok(number(errno)),
            }
        }
        match (name, found) {
            ("path_create_directory", [Some(path), _]) => self.create_directory(env, path, args),
            ("path_filestat_set_times", [Some(path), _]) => self.set_times(env, path, args),
            ("path_open" | "path_open2", [Some(path), _]) => self.open(env, path, args),
            ("path_readlink", [Some(path), _]) => self.read_link(env, path, args),
            ("path_remove_directory", [Some(path), _]) => self.remove_directory(env, path),
            ("path_rename", [Some(from), Some(to)]) => self.rename(env, from, to),
            ("path_symlink", [Some(path), _]) => self.create_link(env, path, args),
            ("path_unlink_file", [Some(path), _]) => self.unlink_file(env, path),
            _ => self.call(env, args),
        }
    }

    fn call(&self, env: &mut Env<'_>, args: &[Value]) -> CallResult {
        call(&self.function, env, args)
    }

    /// Looks up the first `len` bytes of a path, with a call that sets no times.
    fn look_up(&self, env: &mut Env<'_>, path: GuestPath, len: i32, flags: i32) -> CallResult {
        let [dir, flags, pointer, len, none] = [path.dir, flags, path.pointer, len, 0].map(Value::I32);
        call(&self.look_up, env, &[dir, flags, pointer, len, Value::I64(0), Value::I64(0), none])
    }

    /// Looks up the directory that contains the last name of a path.
    fn look_up_parent(&self, env: &mut Env<'_>, path: GuestPath) -> CallResult {
        if path.parent == 0 { Ok(0) } else { self.look_up(env, path, path.parent, FOLLOW) }
    }

    /// Returns whether the first `len` bytes of a path name a symbolic link: reading it into an empty buffer overflows.
    fn is_link(&self, env: &mut Env<'_>, path: GuestPath, len: i32) -> Result<bool, RuntimeError> {
        let args = [path.dir, path.pointer, len, 0, 0, 0].map(Value::I32);
        Ok(call(&self.read_link, env, &args)? == number(Errno::Overflow))
    }

    fn create_directory(&self, env: &mut Env<'_>, path: GuestPath, args: &[Value]) -> CallResult {
        if path.is_fixed() {
            let errno = self.look_up(env, path, path.len, FOLLOW)?;
            return Ok(if errno == 0 { number(Errno::Exist) } else { errno });
        }
        self.call(env, args)
    }

    /// Sets times. WASIX would set only those in its record of the open directory.
    fn set_times(&self, env: &mut Env<'_>, path: GuestPath, args: &[Value]) -> CallResult {
        let lookup = unsigned(args, 1).cast_signed();
        let Some(times) = args.get(4..).and_then(Times::from_args) else { return Ok(number(Errno::Inval)) };
        let (errno, found) = observe(|| self.look_up(env, path, path.len, lookup));
        let errno = errno?;
        if errno != 0 || times.is_empty() {
            return Ok(errno);
        }
        if lookup & FOLLOW == 0 && !path.has_slash() && self.is_link(env, path, path.len)? {
            return Ok(number(Errno::Notsup));
        }
        Ok(times.set_at(found))
    }

    /// Reads a symbolic link. WASIX refuses a buffer that is not longer than the target.
    fn read_link(&self, env: &mut Env<'_>, path: GuestPath, args: &[Value]) -> CallResult {
        let errno = self.call(env, args)?;
        let [_, _, _, Value::I32(buffer), Value::I32(len), Value::I32(used)] = args else { return Ok(errno) };
        if errno != number(Errno::Overflow) {
            return Ok(errno);
        }
        let (_, found) = observe(|| self.look_up(env, path, path.len, 0));
        let Some(Ok(target)) = found.map(|(files, path)| files.readlink(&path)) else { return Ok(errno) };
        let target = target.as_os_str().as_encoded_bytes();
        let target = &target[..target.len().min(len.cast_unsigned() as usize)];
        let size = u32::try_from(target.len()).unwrap_or_default().to_le_bytes();
        let Some(view) = env.data().try_memory_view(env) else { return Ok(number(Errno::Fault)) };
        let address = |pointer: &i32| u64::from(pointer.cast_unsigned());
        let written = view.write(address(buffer), target).and_then(|()| view.write(address(used), &size));
        Ok(written.map_or(number(Errno::Fault), |()| 0))
    }

    /// Opens a file. Returns `notdir` for a link with the flag for a directory and without the flag to follow links. Neither
    /// creates nor truncates a directory.
    fn open(&self, env: &mut Env<'_>, path: GuestPath, args: &[Value]) -> CallResult {
        let [_, Value::I32(lookup), _, _, Value::I32(flags), Value::I64(rights), _, Value::I32(status), ..] = args
        else {
            return self.call(env, args);
        };
        if status & SYNC != 0 {
            return Ok(number(Errno::Notsup));
        }
        let mut exists = false;
        if flags & (CREATE | TRUNCATE) != 0 && flags & (DIRECTORY | EXCLUSIVE) == 0 {
            let (errno, found) = observe(|| self.look_up(env, path, path.len, *lookup));
            exists = errno? == 0;
            if exists && found.is_some_and(|(files, path)| files.has_dir(&path)) {
                return Ok(number(Errno::Isdir));
            }
        }
        let writes = rights.cast_unsigned() & Rights::FD_WRITE.bits() != 0;
        if !writes && flags & DIRECTORY == 0 && (flags & (CREATE | TRUNCATE) != 0 || status & APPEND != 0) {
            return self.open_to_read(env, args, exists);
        }
        let errno = self.call(env, args)?;
        let demands_dir = lookup & FOLLOW == 0 && flags & DIRECTORY != 0;
        let is_link = errno == number(Errno::Loop) && demands_dir && self.is_link(env, path, path.len)?;
        Ok(if is_link { number(Errno::Notdir) } else { errno })
    }

    /// Opens a file for reading only, with a flag to create, truncate or append. WASIX would open it for writing, so this opens
    /// it again without these flags. The flag to append does not matter for reading.
    fn open_to_read(&self, env: &mut Env<'_>, args: &[Value], exists: bool) -> CallResult {
        let mut args = args.to_vec();
        let [flags, status] = [4, 7].map(|index| unsigned(&args, index).cast_signed());
        args[7] = Value::I32(status & !APPEND);
        if flags & (EXCLUSIVE | TRUNCATE) != 0 || flags & CREATE != 0 && !exists {
            let errno = self.call(env, &args)?;
            if errno != 0 {
                return Ok(errno);
            }
            let Ok(created) = read(env, u64::from(unsigned(&args, args.len() - 1))) else {
                return Ok(number(Errno::Fault));
            };
            call(&self.close, env, &[Value::I32(i32::from_le_bytes(created))])?;
        }
        args[4] = Value::I32(flags & !(CREATE | EXCLUSIVE | TRUNCATE));
        self.call(env, &args)
    }

    fn remove_directory(&self, env: &mut Env<'_>, path: GuestPath) -> CallResult {
        // Also loads the directory: WASIX only removes directories that it has seen.
        let errno = if path.is_fixed() {
            self.look_up(env, path, path.len, FOLLOW)?
        } else {
            self.look_up(env, path, path.trimmed, 0)?
        };
        if errno != 0 {
            return Ok(errno);
        }
        match path.last {
            Last::Root => Ok(number(Errno::Busy)),
            Last::Dot => Ok(number(Errno::Inval)),
            Last::DotDot => Ok(number(Errno::Notempty)),
            Last::Name if self.is_link(env, path, path.trimmed)? => Ok(number(Errno::Notdir)),
            Last::Name => self.call(env, &path.args()),
        }
    }

    /// Renames. WASIX keeps its record of a replaced file, and panics if that was a link, so it must forget the file first.
    fn rename(&self, env: &mut Env<'_>, from: GuestPath, to: GuestPath) -> CallResult {
        for path in [from, to] {
            let errno = self.look_up_parent(env, path)?;
            if errno != 0 {
                return Ok(errno);
            }
        }
        if from.is_fixed() || to.is_fixed() {
            return Ok(number(Errno::Busy));
        }
        let errno = self.look_up(env, from, from.trimmed, 0)?;
        if errno != 0 {
            return Ok(errno);
        }
        let only_dirs = from.has_slash() || to.has_slash();
        for path in [from, to] {
            if path.has_slash() && self.look_up(env, path, path.len, FOLLOW)? == number(Errno::Notdir) {
                return Ok(number(Errno::Notdir));
            }
        }
        self.in_real_dir(env, from, |env, from| {
            self.in_real_dir(env, to, |env, to| {
                if self.is_link(env, from, from.trimmed)? {
                    return if only_dirs { Ok(number(Errno::Notdir)) } else { self.rename_link(env, from, to) };
                }
                if !only_dirs {
                    self.forget(env, to)?;
                }
                rename_only_dirs(only_dirs, || call(&self.function, env, &[from.args(), to.args()].concat()))
            })
        })
    }

    /// Renames a symbolic link in the file system itself: WASIX would follow it, and only knows links that the guest created.
    fn rename_link(&self, env: &mut Env<'_>, from: GuestPath, to: GuestPath) -> CallResult {
        let Some(source) = self.forget(env, from)? else { return Ok(number(Errno::Access)) };
        let target = if self.look_up(env, to, to.trimmed, 0)? == 0 {
            self.forget(env, to)?
        } else {
            let text = [to.pointer, 1].map(Value::I32);
            let (errno, target) = pretend(|| call(&self.symlink, env, &[&text[..], &to.args()].concat()));
            if errno? == 0 {
                self.forget(env, to)?;
            }
            target
        };
        // A directory cannot be forgotten.
        let Some(target) = target else { return Ok(number(Errno::Isdir)) };
        let renamed = env.data().fs_root().rename(&source, &target).now_or_never();
        Ok(match renamed {
            Some(Ok(())) => 0,
            Some(Err(error)) => number(fs_error_into_wasi_err(error)),
            None => number(Errno::Again),
        })
    }

    /// Makes WASIX forget a file or link, so that it loads it again. Returns its path in the file system, or `None` for a
    /// directory.
    fn forget(&self, env: &mut Env<'_>, path: GuestPath) -> Result<Option<PathBuf>, RuntimeError> {
        let (errno, path) = pretend(|| call(&self.unlink, env, &path.args()));
        errno.map(|_| path)
    }

    /// Creates a link. WASIX panics if the new path is below a file.
    fn create_link(&self, env: &mut Env<'_>, path: GuestPath, args: &[Value]) -> CallResult {
        let errno = self.look_up(env, path, path.trimmed, 0)?;
        match errno {
            0 => Ok(number(Errno::Exist)),
            errno if errno != number(Errno::Noent) || path.has_slash() || path.is_fixed() => Ok(errno),
            _ => self.call(env, args),
        }
    }

    /// Removes a file. WASIX panics if its directory is a symbolic link.
    fn unlink_file(&self, env: &mut Env<'_>, path: GuestPath) -> CallResult {
        let errno = self.look_up_parent(env, path)?;
        if errno != 0 {
            return Ok(errno);
        }
        if path.has_slash() || path.is_fixed() {
            let errno = self.look_up(env, path, path.trimmed, 0)?;
            let is_dir = errno == 0
                && (path.is_fixed()
                    || !self.is_link(env, path, path.trimmed)? && self.look_up(env, path, path.len, 0)? == 0);
            return Ok(match errno {
                0 if is_dir => number(Errno::Isdir),
                0 => number(Errno::Notdir),
                errno => errno,
            });
        }
        self.in_real_dir(env, path, |env, path| call(&self.function, env, &path.args()))
    }

    /// Calls `body` with a path whose directory is not a symbolic link, because WASIX panics there: opens the directory if it
    /// is one. Also opens a directory whose path contains `..`, unless the guest has threads: WASIX resolves the path again
    /// after renaming.
    ///
    /// WASIX returns the descriptor in the guest's memory, so its first bytes are overwritten for a moment. No other thread may
    /// see that, so a guest with threads gets `notsup` for a link.
    fn in_real_dir(
        &self,
        env: &mut Env<'_>,
        path: GuestPath,
        body: impl FnOnce(&mut Env<'_>, GuestPath) -> CallResult,
    ) -> CallResult {
        const OUT: u64 = 0;
        let memory = env.data().try_memory().cloned();
        let memory = memory.filter(|memory| !memory.ty(env).shared);
        let is_link = path.dir_name != 0 && self.is_link(env, path, path.dir_name)?;
        if !is_link && (!path.climbs || memory.is_none()) {
            return body(env, path);
        }
        let Some(memory) = memory else { return Ok(number(Errno::Notsup)) };
        let mut saved = [0; 4];
        let mut opened = [0; 4];
        if memory.view(env).read(OUT, &mut saved).is_err() {
            return Ok(number(Errno::Fault));
        }
        let [dir, follow, pointer, len, flags] =
            [path.dir, FOLLOW, path.pointer, path.parent, DIRECTORY].map(Value::I32);
        let rights = Value::I64((Rights::all() - Rights::FD_WRITE).bits().cast_signed());
        let args = [dir, follow, pointer, len, flags, rights.clone(), rights, Value::I32(0), Value::I32(0)];
        let errno = call(&self.open, env, &args)?;
        let view = memory.view(env);
        if view.read(OUT, &mut opened).and_then(|()| view.write(OUT, &saved)).is_err() || errno != 0 {
            return Ok(errno);
        }
        let dir = i32::from_le_bytes(opened);
        let result = body(env, path.within(dir));
        call(&self.close, env, &[Value::I32(dir)])?;
        result
    }
}
