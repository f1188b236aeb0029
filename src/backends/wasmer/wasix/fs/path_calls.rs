//! Corrections of the path functions of WASIX, so that they answer as Linux does and never panic.
//!
//! WASIX resolves the paths. The wrapper looks at the text of a path (empty, too long, ending in `/`, `.` or `..`), asks WASIX about
//! its parts with calls that change nothing and write no memory, and then calls the function, or returns an errno.

use wasmer::{AsStoreMut, Function, FunctionEnv, FunctionEnvMut, RuntimeError, Value};
use wasmer_wasix::WasiEnv;
use wasmer_wasix::wasmer_wasix_types::wasi::Errno;

use super::convert;
use super::granted_fs::rename_only_dirs;

/// The functions, each with the arguments of its paths: the index of the directory, and of the pointer to the path. The argument
/// after the pointer is the length.
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

/// The length of a path that is too long, in bytes.
const TOO_LONG: i32 = 4096;
/// The lookup flag that follows a symbolic link at the end of a path.
const FOLLOW: i32 = 1;
/// The open flag that demands a directory.
const DIRECTORY: i32 = 2;

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
    };
    let ty = calls.function.ty(store);
    Some(Function::new_with_env(store, env, ty, move |mut env, args| {
        convert::forget_errno();
        let errno = match calls.correct(&mut env, name, paths, args)? {
            0 => 0,
            errno => convert::exact_errno(errno),
        };
        Ok(vec![Value::I32(errno)])
    }))
}

/// The functions of WASIX that a corrected function calls.
struct Calls {
    function: Function,
    look_up: Function,
    read_link: Function,
    open: Function,
    close: Function,
}

/// A path in the guest's memory.
#[derive(Clone, Copy)]
struct GuestPath {
    dir: i32,
    pointer: i32,
    /// The length of the path.
    len: i32,
    /// The length without slashes at the end.
    trimmed: i32,
    /// The length of the part before the last name, with its slash.
    parent: i32,
    last: Last,
}

/// The last name of a path.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    /// The path has no name: it is a root.
    Root,
    Dot,
    DotDot,
    Name,
}

impl GuestPath {
    fn has_slash(self) -> bool {
        self.trimmed < self.len
    }

    /// Whether the path ends in a name that cannot be created, renamed or removed.
    fn is_fixed(self) -> bool {
        self.last != Last::Name
    }
}

type Env<'e> = FunctionEnvMut<'e, WasiEnv>;
type CallResult = Result<i32, RuntimeError>;

impl Calls {
    /// Calls the function with this name, and returns its errno.
    fn correct(&self, env: &mut Env<'_>, name: &str, paths: &[(usize, usize)], args: &[Value]) -> CallResult {
        let mut found = [None; 2];
        for (found, (dir, pointer)) in found.iter_mut().zip(paths) {
            match guest_path(env, args, *dir, *pointer) {
                Ok(path) => *found = Some(path),
                Err(errno) => return Ok(number(errno)),
            }
        }
        match (name, found) {
            ("path_create_directory", [Some(path), _]) => self.create_directory(env, path, args),
            ("path_open" | "path_open2", [Some(path), _]) => self.open(env, path, args),
            ("path_remove_directory", [Some(path), _]) => self.remove_directory(env, path),
            ("path_rename", [Some(from), Some(to)]) => self.rename(env, from, to, args),
            ("path_symlink", [Some(path), _]) => self.symlink(env, path, args),
            ("path_unlink_file", [Some(path), _]) => self.unlink(env, path, args),
            _ => self.call(env, args),
        }
    }

    fn call(&self, env: &mut Env<'_>, args: &[Value]) -> CallResult {
        call(&self.function, env, args)
    }

    /// Looks up the first `len` bytes of a path. Sets no time: no flag says which.
    fn look_up(&self, env: &mut Env<'_>, path: GuestPath, len: i32, flags: i32) -> CallResult {
        let [dir, flags, pointer, len, none] = [path.dir, flags, path.pointer, len, 0].map(Value::I32);
        call(&self.look_up, env, &[dir, flags, pointer, len, Value::I64(0), Value::I64(0), none])
    }

    /// Looks up the directory that contains the last name of a path.
    fn look_up_parent(&self, env: &mut Env<'_>, path: GuestPath) -> CallResult {
        if path.parent == 0 { Ok(0) } else { self.look_up(env, path, path.parent, FOLLOW) }
    }

    /// Returns whether the first `len` bytes of a path name a symbolic link: it does not fit into no buffer.
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

    /// A link that should be a directory, and may not be followed, is `notdir`.
    fn open(&self, env: &mut Env<'_>, path: GuestPath, args: &[Value]) -> CallResult {
        let errno = self.call(env, args)?;
        let [_, Value::I32(lookup), _, _, Value::I32(flags), ..] = args else { return Ok(errno) };
        let demands_dir = lookup & FOLLOW == 0 && flags & DIRECTORY != 0;
        let is_link = errno == number(Errno::Loop) && demands_dir && self.is_link(env, path, path.len)?;
        Ok(if is_link { number(Errno::Notdir) } else { errno })
    }

    fn remove_directory(&self, env: &mut Env<'_>, path: GuestPath) -> CallResult {
        // Loads the directory, too: WASIX removes only those it has seen.
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
            Last::Name => self.call(env, &[path.dir, path.pointer, path.trimmed].map(Value::I32)),
        }
    }

    /// WASIX forgets to check a trailing slash, and panics for one at the end of a replaced file.
    fn rename(&self, env: &mut Env<'_>, from: GuestPath, to: GuestPath, args: &[Value]) -> CallResult {
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
        rename_only_dirs(from.has_slash() || to.has_slash());
        self.call(env, args)
    }

    /// WASIX panics if the new path is below a file.
    fn symlink(&self, env: &mut Env<'_>, path: GuestPath, args: &[Value]) -> CallResult {
        let errno = self.look_up_parent(env, path)?;
        if errno != 0 {
            return Ok(errno);
        }
        if path.has_slash() || path.is_fixed() {
            let errno = self.look_up(env, path, path.trimmed, 0)?;
            return Ok(if errno == 0 { number(Errno::Exist) } else { errno });
        }
        self.call(env, args)
    }

    /// WASIX panics if the directory of the file is a symbolic link.
    fn unlink(&self, env: &mut Env<'_>, path: GuestPath, args: &[Value]) -> CallResult {
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
        if path.parent > 1 && self.is_link(env, path, path.parent - 1)? {
            return self.unlink_in_linked_dir(env, path);
        }
        self.call(env, args)
    }

    /// Opens the directory of a file, and removes the file from it.
    ///
    /// The number of the open directory has to be returned in the guest's memory. Its first bytes hold it for a moment, which
    /// no other thread may see: a guest with threads gets `notsup`.
    fn unlink_in_linked_dir(&self, env: &mut Env<'_>, path: GuestPath) -> CallResult {
        const OUT: u64 = 0;
        let memory = env.data().try_memory().map(|memory| memory.clone());
        let Some(memory) = memory.filter(|memory| !memory.ty(env).shared) else { return Ok(number(Errno::Notsup)) };
        let mut saved = [0; 4];
        let mut opened = [0; 4];
        if memory.view(env).read(OUT, &mut saved).is_err() {
            return Ok(number(Errno::Fault));
        }
        let [dir, follow, pointer, len, flags] =
            [path.dir, FOLLOW, path.pointer, path.parent, DIRECTORY].map(Value::I32);
        let rights = Value::I64(0);
        let args = [dir, follow, pointer, len, flags, rights.clone(), rights, Value::I32(0), Value::I32(0)];
        let errno = call(&self.open, env, &args)?;
        let view = memory.view(env);
        if view.read(OUT, &mut opened).and_then(|()| view.write(OUT, &saved)).is_err() || errno != 0 {
            return Ok(errno);
        }
        let opened = i32::from_le_bytes(opened);
        let name = [opened, path.pointer.wrapping_add(path.parent), path.trimmed - path.parent];
        let removed = self.call(env, &name.map(Value::I32));
        call(&self.close, env, &[Value::I32(opened)])?;
        removed
    }
}

/// Calls a function that returns an errno.
fn call(function: &Function, env: &mut Env<'_>, args: &[Value]) -> CallResult {
    let results = function.call(env, args)?;
    Ok(results.first().and_then(Value::i32).unwrap_or_default())
}

/// Reads a path.
///
/// # Errors
/// The errno of an empty path, of one that is too long, or of one outside the memory.
fn guest_path(env: &Env<'_>, args: &[Value], dir: usize, pointer: usize) -> Result<GuestPath, Errno> {
    let arg = |index: usize| args.get(index).and_then(Value::i32).ok_or(Errno::Inval);
    let (dir, pointer, len) = (arg(dir)?, arg(pointer)?, arg(pointer + 1)?);
    if len == 0 {
        return Err(Errno::Noent);
    }
    if !(0..TOO_LONG).contains(&len) {
        return Err(Errno::Nametoolong);
    }
    let mut text = vec![0; usize::try_from(len).map_err(|_| Errno::Inval)?];
    let view = env.data().try_memory_view(env).ok_or(Errno::Fault)?;
    view.read(u64::from(pointer.cast_unsigned()), &mut text).map_err(|_| Errno::Fault)?;
    let length = |len: usize| i32::try_from(len).map_err(|_| Errno::Nametoolong);
    let trimmed = text.iter().rposition(|byte| *byte != b'/').map_or(0, |last| last + 1);
    let parent = text[..trimmed].iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
    let last = match &text[parent..trimmed] {
        b"" => Last::Root,
        b"." => Last::Dot,
        b".." => Last::DotDot,
        _ => Last::Name,
    };
    Ok(GuestPath { dir, pointer, len, trimmed: length(trimmed)?, parent: length(parent)?, last })
}

fn number(errno: Errno) -> i32 {
    i32::from(errno as u16)
}
