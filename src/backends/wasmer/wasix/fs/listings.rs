//! `fd_readdir` as a directory stream. WASIX reads the directory again on every call, so entries shift when the guest
//! creates or removes files in between. Here, cookie 0 reads the directory, and other cookies continue this listing.

use std::sync::{Mutex, PoisonError};

use virtual_fs::{FileSystem, FileType, Result as FsResult};
use wasmer::{Function, Value};
use wasmer_wasix::fs::fs_error_into_wasi_err;
use wasmer_wasix::wasmer_wasix_types::wasi::{Errno, Filetype};

use super::super::calls::{CallResult, Env, call, number, write};
use super::convert;
use super::sync::open_dir;
use crate::wasi::listings::{Listing, Listings};

/// Reads entries of a directory. The cookie is the number of entries before the first. `list` is the original function.
pub(in super::super) fn read_dir(
    env: &mut Env<'_>,
    list: &Function,
    args: &[Value],
    listings: &Mutex<Listings>,
) -> CallResult {
    let [descriptor @ Value::I32(fd), Value::I32(buffer), Value::I32(size), Value::I64(cookie), Value::I32(used)] =
        args
    else {
        return call(list, env, args);
    };
    convert::forget_errno();
    let listings = || listings.lock().unwrap_or_else(PoisonError::into_inner);
    if *cookie == 0 || listings().get(*fd).is_none() {
        let (_, found) = open_dir(env, list, descriptor)?;
        // WASIX handles descriptors that are not open directories, and its root, which no file system lists.
        let Some((files, path)) = found else { return call(list, env, args).map(convert::exact_errno) };
        match files.read_dir(&path).and_then(entries) {
            Ok(bytes) => listings().insert(*fd, Listing::new(bytes)),
            Err(error) => return Ok(convert::exact_errno(number(fs_error_into_wasi_err(error)))),
        }
    }
    let listings = listings();
    let entries = listings.get(*fd).map_or(&[][..], |listing| listing.from(*cookie, *size));
    let len = u32::try_from(entries.len()).unwrap_or_default().to_le_bytes();
    let address = |pointer: &i32| u64::from(pointer.cast_unsigned());
    let written = write(env, address(buffer), entries).and_then(|()| write(env, address(used), &len));
    Ok(written.map_or(number(Errno::Memviolation), |()| 0))
}

/// Returns the entries in the layout of preview 1, including `.` and `..`. Leaves out names that are not UTF-8.
fn entries(dir: virtual_fs::ReadDir) -> FsResult<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut next: u64 = 0;
    let mut add = |name: &str, kind: Filetype| {
        const INODE: [u8; 8] = [0; 8];
        let len = u32::try_from(name.len()).unwrap_or_default();
        next += 1;
        bytes.extend(next.to_le_bytes().into_iter().chain(INODE).chain(len.to_le_bytes()));
        bytes.extend(u32::from(kind as u8).to_le_bytes());
        bytes.extend(name.as_bytes());
    };
    add(".", Filetype::Directory);
    add("..", Filetype::Directory);
    for entry in dir {
        let entry = entry?;
        let kind = file_type(&entry.file_type()?);
        if let Some(name) = entry.file_name().to_str() {
            add(name, kind);
        }
    }
    Ok(bytes)
}

fn file_type(kind: &FileType) -> Filetype {
    match kind {
        kind if kind.dir => Filetype::Directory,
        kind if kind.file => Filetype::RegularFile,
        kind if kind.symlink => Filetype::SymbolicLink,
        kind if kind.char_device => Filetype::CharacterDevice,
        kind if kind.block_device => Filetype::BlockDevice,
        _ => Filetype::Unknown,
    }
}
