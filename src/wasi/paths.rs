//! Corrections of the path calls of wasmtime-wasi, so that they behave as on Linux: paths with a trailing slash, and errors for
//! too many open files.
//!
//! Each function gets its arguments as a tuple, and `raw`, which makes the call. This module resolves no paths, so
//! none can lead out of a grant.

use std::io;

use wasmtime_wasi::p1::types::{Errno, Filetype};
use wasmtime_wasi::p1::wasi_snapshot_preview1;
use wiggle::{GuestMemory, GuestPtr};

use super::function::HostCall;
use crate::runtime::host::HostError;

/// The lookup flag that follows a symbolic link at the end of a path.
const FOLLOW: i32 = 1;
/// The open flag that requires a directory.
const DIRECTORY: i32 = 2;
/// The descriptor flag for non-blocking mode.
const NONBLOCK: i32 = 4;

/// The maximum length of a path in bytes, with the terminating NUL of Linux.
const PATH_MAX: usize = 4096;

/// The size of a filestat, and the offset of its file type, in bytes.
const FILESTAT: usize = 64;
const FILETYPE: usize = 16;

/// The result of a call: an errno, or the failure that ends the guest.
pub(super) type CallResult = Result<i32, HostError>;

/// Returns `mfile` or `nfile` instead of `io` if too many files are open. wasmtime-wasi has no error codes for these.
pub(super) fn with_full_table(result: CallResult) -> CallResult {
    let errno = result?;
    if errno != number(Errno::Io) {
        return Ok(errno);
    }
    // Opens two descriptors, because resolving a path may need more than one.
    Ok(match io::pipe().err().as_ref().and_then(rustix::io::Errno::from_io_error) {
        Some(rustix::io::Errno::MFILE) => number(Errno::Mfile),
        Some(rustix::io::Errno::NFILE) => number(Errno::Nfile),
        _ => errno,
    })
}

/// Removes a directory. wasmtime-wasi refuses paths that end in a slash or `..` with `inval`.
pub(super) fn path_remove_directory(
    mut call: HostCall<'_, '_>,
    (fd, path, len): (i32, i32, i32),
    mut raw: impl FnMut(HostCall<'_, '_>, (i32, i32, i32)) -> CallResult,
) -> CallResult {
    let errno = raw(call.again(), (fd, path, len))?;
    if errno == 0 {
        return Ok(errno);
    }
    let text = text(call.memory, path, len)?;
    let name = without_slashes(&text);
    if name.is_empty() {
        return Ok(errno);
    }
    let errno = if name == text { errno } else { raw(call, (fd, path, i32::try_from(name.len())?))? };
    let is_parent = name == b".." || name.ends_with(b"/..");
    Ok(if errno == number(Errno::Inval) && is_parent { number(Errno::Notempty) } else { errno })
}

/// Removes a file. With a trailing slash, fails with an errno for the type of the last component, without following links.
pub(super) fn path_unlink_file(
    mut call: HostCall<'_, '_>,
    (fd, path, len): (i32, i32, i32),
    mut raw: impl FnMut(HostCall<'_, '_>, (i32, i32, i32)) -> CallResult,
) -> CallResult {
    let errno = raw(call.again(), (fd, path, len))?;
    if errno == 0 || errno == number(Errno::Perm) {
        return Ok(errno);
    }
    let text = text(call.memory, path, len)?;
    if !text.ends_with(b"/") {
        return Ok(errno);
    }
    match file_type(&mut call, fd, 0, without_slashes(&text))? {
        Ok(Filetype::Directory) => Ok(number(Errno::Isdir)),
        Ok(_) => Ok(number(Errno::Notdir)),
        Err(errno) => Ok(errno),
    }
}

/// Opens a file. Returns `notdir` for a link with the flag for a directory and without the flag to follow links, and `nxio` for
/// a socket. wasmtime-wasi would wait for the other end of a pipe even in non-blocking mode.
pub(super) fn path_open(
    mut call: HostCall<'_, '_>,
    args: (i32, i32, i32, i32, i32, i64, i64, i32, i32),
    mut raw: impl FnMut(HostCall<'_, '_>, (i32, i32, i32, i32, i32, i64, i64, i32, i32)) -> CallResult,
) -> CallResult {
    let (fd, lookup, path, len, oflags, _, _, flags, _) = args;
    let file_type = |call: &mut HostCall<'_, '_>| {
        let text = text(call.memory, path, len)?;
        file_type(call, fd, lookup & FOLLOW, &text)
    };
    if flags & NONBLOCK != 0 && file_type(&mut call)? == Ok(Filetype::Unknown) {
        return Ok(number(Errno::Notsup));
    }
    let demands_dir = lookup & FOLLOW == 0 && oflags & DIRECTORY != 0;
    let errno = with_full_table(raw(call.again(), args))?;
    if errno == number(Errno::Loop) && demands_dir && file_type(&mut call)? == Ok(Filetype::SymbolicLink) {
        return Ok(number(Errno::Notdir));
    }
    if errno == number(Errno::Io) && file_type(&mut call)? == Ok(Filetype::Unknown) {
        return Ok(number(Errno::Nxio));
    }
    Ok(errno)
}

/// Returns metadata. A trailing slash follows a link, and requires a directory.
pub(super) fn path_filestat_get(
    mut call: HostCall<'_, '_>,
    (fd, lookup, path, len, out): (i32, i32, i32, i32, i32),
    mut raw: impl FnMut(HostCall<'_, '_>, (i32, i32, i32, i32, i32)) -> CallResult,
) -> CallResult {
    match slash_lookup(&mut call, fd, lookup, path, len)? {
        Ok(lookup) => raw(call, (fd, lookup, path, len, out)),
        Err(errno) => Ok(errno),
    }
}

/// Sets times. A trailing slash follows a link, and requires a directory. wasmtime-wasi would wait for the other end of a pipe.
pub(super) fn path_filestat_set_times(
    mut call: HostCall<'_, '_>,
    (fd, lookup, path, len, atim, mtim, flags): (i32, i32, i32, i32, i64, i64, i32),
    mut raw: impl FnMut(HostCall<'_, '_>, (i32, i32, i32, i32, i64, i64, i32)) -> CallResult,
) -> CallResult {
    match slash_lookup(&mut call, fd, lookup, path, len)? {
        Ok(lookup) => {
            let text = text(call.memory, path, len)?;
            match file_type(&mut call, fd, lookup, &text)? {
                Ok(Filetype::Unknown) => Ok(number(Errno::Notsup)),
                _ => raw(call, (fd, lookup, path, len, atim, mtim, flags)),
            }
        }
        Err(errno) => Ok(errno),
    }
}

/// Returns the lookup flags to use. With a trailing slash, they follow links, and the path must be a directory.
fn slash_lookup(
    call: &mut HostCall<'_, '_>,
    fd: i32,
    lookup: i32,
    path: i32,
    len: i32,
) -> Result<Result<i32, i32>, HostError> {
    let last = path.cast_unsigned().wrapping_add(len.cast_unsigned()).wrapping_sub(1);
    if len == 0 || !matches!(call.memory.read(GuestPtr::<u8>::new(last)), Ok(b'/')) {
        return Ok(Ok(lookup));
    }
    let text = text(call.memory, path, len)?;
    Ok(match file_type(call, fd, FOLLOW, &text)? {
        Ok(Filetype::Directory) => Ok(lookup | FOLLOW),
        Ok(_) => Err(number(Errno::Notdir)),
        Err(errno) => Err(errno),
    })
}

/// Returns the type of a file, or an errno. The path and the result are in a separate memory.
fn file_type(
    call: &mut HostCall<'_, '_>,
    fd: i32,
    lookup: i32,
    path: &[u8],
) -> Result<Result<Filetype, i32>, HostError> {
    let mut scratch = vec![0; FILESTAT];
    scratch.extend_from_slice(path);
    let (at, len) = (i32::try_from(FILESTAT)?, i32::try_from(path.len())?);
    let mut memory = GuestMemory::Unshared(&mut scratch);
    let wasi = &mut call.state.wasi;
    let stat = wasi_snapshot_preview1::path_filestat_get(wasi, &mut memory, fd, lookup, at, len, 0);
    // Reading metadata never blocks, and only fails with an errno.
    let errno = call.state.waiter.finish(stat, call.interrupt_token)?.unwrap_or(number(Errno::Io));
    Ok(if errno == 0 { Ok(Filetype::try_from(scratch[FILETYPE]).unwrap_or(Filetype::Unknown)) } else { Err(errno) })
}

/// Copies a path from the guest's memory. Returns an empty path if it is out of bounds.
///
/// # Errors
/// [`Errno::Nametoolong`] from 4096 bytes on, as on Linux.
fn text(memory: &GuestMemory<'_>, path: i32, len: i32) -> Result<Vec<u8>, Errno> {
    let path = memory.as_slice(GuestPtr::<[u8]>::new((path.cast_unsigned(), len.cast_unsigned())));
    match path.ok().flatten() {
        Some(path) if path.len() >= PATH_MAX => Err(Errno::Nametoolong),
        path => Ok(path.unwrap_or_default().to_vec()),
    }
}

fn without_slashes(path: &[u8]) -> &[u8] {
    let end = path.iter().rposition(|byte| *byte != b'/').map_or(0, |last| last + 1);
    &path[..end]
}

pub(super) fn number(errno: Errno) -> i32 {
    i32::from(errno as u16)
}
