//! `path_open` with the flags to create or truncate a file, but without the right to write: wasmtime-wasi would open the file
//! for writing. Also flags and positions of open files.

use wasmtime_wasi::p1::types::{Errno, Filetype, Rights};
use wasmtime_wasi::p1::wasi_snapshot_preview1::{fd_close, fd_fdstat_get, fd_seek as seek, fd_tell};
use wiggle::{GuestMemory, GuestPtr};

use super::function::{HostCall, host_error};
use super::paths::{CallResult, number};
use crate::runtime::host::HostError;

/// The flags of `path_open`.
const CREATE: i32 = 1;
const DIRECTORY: i32 = 2;
const EXCLUSIVE: i32 = 4;
const TRUNCATE: i32 = 8;

/// The size of an fdstat, and the offset of its rights, in bytes.
const FDSTAT: usize = 24;
const RIGHTS: usize = 8;

/// The arguments of `path_open`.
pub(super) type OpenArgs = (i32, i32, i32, i32, i32, i64, i64, i32, i32);

/// Opens a file. To create or truncate it without the right to write, opens it twice.
pub(super) fn path_open(
    mut call: HostCall<'_, '_>,
    args: OpenArgs,
    mut raw: impl FnMut(HostCall<'_, '_>, OpenArgs) -> CallResult,
) -> CallResult {
    let (fd, lookup, path, len, flags, base, inheriting, fd_flags, out) = args;
    let writes = base.cast_unsigned() & Rights::FD_WRITE.bits() != 0;
    if writes || flags & DIRECTORY != 0 || flags & (CREATE | TRUNCATE) == 0 {
        return raw(call, args);
    }
    let opened = |memory: &GuestMemory<'_>| memory.read(GuestPtr::<i32>::new(out.cast_unsigned()));
    let kept = flags & !(CREATE | EXCLUSIVE | TRUNCATE);
    let args_to_read = (fd, lookup, path, len, kept, base, inheriting, fd_flags, out);
    if flags & (EXCLUSIVE | TRUNCATE) == 0 {
        let errno = raw(call.again(), args_to_read)?;
        if errno == number(Errno::Success) {
            let fd = opened(call.memory)?;
            if matches!(file_type(&mut call, fd)?, Ok((Filetype::Directory, _))) {
                close(&mut call, fd)?;
                return Ok(number(Errno::Isdir));
            }
        }
        if errno != number(Errno::Noent) {
            return Ok(errno);
        }
    }
    let errno = raw(call.again(), args)?;
    if errno != number(Errno::Success) {
        return Ok(errno);
    }
    let fd = opened(call.memory)?;
    close(&mut call, fd)?;
    raw(call, args_to_read)
}

/// Moves the position in a file. Returns `overflow` for a position beyond the largest file offset.
pub(super) fn fd_seek(
    mut call: HostCall<'_, '_>,
    (fd, offset, whence, out): (i32, i64, i32, i32),
    mut raw: impl FnMut(HostCall<'_, '_>, (i32, i64, i32, i32)) -> CallResult,
) -> CallResult {
    let mut scratch = [0; 8];
    if offset > 0 {
        fd_tell(&mut call.state.wasi, &mut GuestMemory::Unshared(&mut scratch), fd, 0)
            .map_err(|error| host_error(&error))?;
    }
    let before = i64::from_le_bytes(scratch);
    let errno = raw(call.again(), (fd, offset, whence, out))?;
    if errno != number(Errno::Success) || call.memory.read(GuestPtr::<i64>::new(out.cast_unsigned()))? >= 0 {
        return Ok(errno);
    }
    let mut memory = GuestMemory::Unshared(&mut scratch);
    let back = seek(&mut call.state.wasi, &mut memory, fd, before, 0, 0);
    call.state.waiter.finish(back, call.interrupt_token)?.map_err(|error| host_error(&error))?;
    Ok(number(Errno::Overflow))
}

/// Sets the flags of a descriptor. The standard streams have none.
pub(super) fn fd_fdstat_set_flags(
    mut call: HostCall<'_, '_>,
    (fd, flags): (i32, i32),
    mut raw: impl FnMut(HostCall<'_, '_>, (i32, i32)) -> CallResult,
) -> CallResult {
    let errno = raw(call.again(), (fd, flags))?;
    if errno != number(Errno::Badf) {
        return Ok(errno);
    }
    Ok(match file_type(&mut call, fd)? {
        Err(_) | Ok((Filetype::Directory, _)) => errno,
        Ok(_) => number(if flags == 0 { Errno::Success } else { Errno::Notsup }),
    })
}

/// Returns the type of an open file, and its rights, or an errno.
pub(super) fn file_type(call: &mut HostCall<'_, '_>, fd: i32) -> Result<Result<(Filetype, u64), i32>, HostError> {
    let mut stat = [0; FDSTAT];
    let mut memory = GuestMemory::Unshared(&mut stat);
    let found = fd_fdstat_get(&mut call.state.wasi, &mut memory, fd, 0);
    let errno = call.state.waiter.finish(found, call.interrupt_token)?.map_err(|error| host_error(&error))?;
    let rights = u64::from_le_bytes(stat[RIGHTS..RIGHTS + 8].try_into()?);
    let file_type = Filetype::try_from(stat[0]).unwrap_or(Filetype::Unknown);
    Ok(if errno == 0 { Ok((file_type, rights)) } else { Err(errno) })
}

fn close(call: &mut HostCall<'_, '_>, fd: i32) -> CallResult {
    let mut memory = GuestMemory::Unshared(&mut []);
    let closed = fd_close(&mut call.state.wasi, &mut memory, fd);
    call.state.waiter.finish(closed, call.interrupt_token)?.map_err(|error| host_error(&error))
}
