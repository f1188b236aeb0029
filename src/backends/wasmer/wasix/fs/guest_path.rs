//! Paths in the guest's memory, and their parts.

use wasmer::{FunctionEnvMut, Value};
use wasmer_wasix::WasiEnv;
use wasmer_wasix::wasmer_wasix_types::wasi::Errno;

/// The shortest length of a path that is too long, in bytes.
const TOO_LONG: i32 = 4096;

/// A path in the guest's memory.
#[derive(Clone, Copy)]
pub(super) struct GuestPath {
    pub(super) dir: i32,
    pub(super) pointer: i32,
    /// The length of the path.
    pub(super) len: i32,
    /// The length without slashes at the end.
    pub(super) trimmed: i32,
    /// The length of the part before the last name, with its slash.
    pub(super) parent: i32,
    /// The length of that part without slashes at the end.
    pub(super) dir_name: i32,
    /// Whether that part contains `..`.
    pub(super) climbs: bool,
    pub(super) last: Last,
}

/// The last name of a path.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Last {
    /// The path has no name: it is a root.
    Root,
    Dot,
    DotDot,
    Name,
}

impl GuestPath {
    pub(super) fn has_slash(self) -> bool {
        self.trimmed < self.len
    }

    /// Returns the arguments for the path without slashes at its end.
    pub(super) fn args(self) -> [Value; 3] {
        [self.dir, self.pointer, self.trimmed].map(Value::I32)
    }

    /// Returns the last name as a path relative to its directory, which is open as descriptor `dir`.
    pub(super) fn within(self, dir: i32) -> Self {
        let pointer = self.pointer.wrapping_add(self.parent);
        Self {
            dir,
            pointer,
            len: self.len - self.parent,
            trimmed: self.trimmed - self.parent,
            parent: 0,
            dir_name: 0,
            climbs: false,
            ..self
        }
    }

    /// Whether the path ends in a name that cannot be created, renamed or removed.
    pub(super) fn is_fixed(self) -> bool {
        self.last != Last::Name
    }
}

/// Reads a path.
///
/// # Errors
/// An errno if the path is empty, too long, or outside the memory.
pub(super) fn guest_path(
    env: &FunctionEnvMut<'_, WasiEnv>,
    args: &[Value],
    dir: usize,
    pointer: usize,
) -> Result<GuestPath, Errno> {
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
    let without_slashes = |path: &[u8]| path.iter().rposition(|byte| *byte != b'/').map_or(0, |last| last + 1);
    let trimmed = without_slashes(&text);
    let parent = text[..trimmed].iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
    let last = match &text[parent..trimmed] {
        b"" => Last::Root,
        b"." => Last::Dot,
        b".." => Last::DotDot,
        _ => Last::Name,
    };
    let climbs = text[..parent].split(|byte| *byte == b'/').any(|name| name == b"..");
    let dir_name = without_slashes(&text[..parent]);
    let (trimmed, parent, dir_name) = (length(trimmed)?, length(parent)?, length(dir_name)?);
    Ok(GuestPath { dir, pointer, len, trimmed, parent, dir_name, climbs, last })
}
