//! `fd_readdir` as a directory stream. wasmtime-wasi lists the directory again on every call, so entries shift when the guest
//! creates or removes files in between. Here, cookie 0 lists the directory, and other cookies continue this listing.

use wasmtime_wasi::p1::types::Errno;
use wiggle::{GuestMemory, GuestPtr};

use super::function::HostCall;
use super::listings::Listing;
use super::paths::{CallResult, number, with_full_table};
use crate::runtime::host::HostError;

/// The buffer sizes to try, in bytes, until a listing fits. The system only provides the pages that are used.
const SIZES: [u32; 4] = [1 << 20, 1 << 24, 1 << 28, (1 << 31) - 8];

/// The maximum number of retries because a file was removed meanwhile.
const MAX_RETRIES: usize = 1000;

/// Reads entries of a directory. The cookie is the number of entries before the first.
pub(super) fn fd_readdir(
    mut call: HostCall<'_, '_>,
    (fd, buf, len, cookie, out): (i32, i32, i32, i64, i32),
    raw: impl FnMut(HostCall<'_, '_>, (i32, i32, i32, i64, i32)) -> CallResult,
) -> CallResult {
    if cookie == 0 || call.state.listings.get(fd).is_none() {
        match list(call.again(), fd, raw)? {
            Ok(listing) => call.state.listings.insert(fd, listing),
            Err(errno) => return Ok(errno),
        }
    }
    let entries = call.state.listings.get(fd).map_or(&[][..], |listing| listing.from(cookie, len));
    let used = u32::try_from(entries.len())?;
    call.memory.copy_from_slice(entries, GuestPtr::<[u8]>::new((buf.cast_unsigned(), used)))?;
    call.memory.write(GuestPtr::new(out.cast_unsigned()), used)?;
    Ok(number(Errno::Success))
}

/// Lists a whole directory.
fn list(
    call: HostCall<'_, '_>,
    fd: i32,
    mut raw: impl FnMut(HostCall<'_, '_>, (i32, i32, i32, i64, i32)) -> CallResult,
) -> Result<Result<Listing, i32>, HostError> {
    let HostCall { state, interrupt_token, .. } = call;
    let mut retries = 0;
    let mut sizes = SIZES.as_slice();
    loop {
        let [size, larger @ ..] = sizes else { return Ok(Err(number(Errno::Nomem))) };
        // The number of bytes used comes last.
        let mut scratch = vec![0; *size as usize + 4];
        let memory = &mut GuestMemory::Unshared(&mut scratch);
        let call = HostCall { state: &mut *state, memory, interrupt_token };
        let errno = with_full_table(raw(call, (fd, 0, size.cast_signed(), 0, size.cast_signed())))?;
        let (bytes, used) = scratch.split_at(*size as usize);
        let used = u32::from_le_bytes(used.try_into()?);
        match errno {
            0 if used == *size => sizes = larger,
            0 => return Ok(Ok(Listing::new(bytes[..used as usize].to_vec()))),
            // A file was removed while wasmtime-wasi read the directory, before it asked for the type of the file.
            errno if errno == number(Errno::Noent) && retries < MAX_RETRIES => retries += 1,
            errno => return Ok(Err(errno)),
        }
        interrupt_token.check_interrupt()?;
    }
}

/// Closes a descriptor, and drops its listing.
pub(super) fn fd_close(
    call: HostCall<'_, '_>,
    (fd,): (i32,),
    mut raw: impl FnMut(HostCall<'_, '_>, (i32,)) -> CallResult,
) -> CallResult {
    call.state.listings.remove(fd);
    raw(call, (fd,))
}

/// Renumbers a descriptor, together with its listing.
pub(super) fn fd_renumber(
    mut call: HostCall<'_, '_>,
    (fd, to): (i32, i32),
    mut raw: impl FnMut(HostCall<'_, '_>, (i32, i32)) -> CallResult,
) -> CallResult {
    let errno = raw(call.again(), (fd, to))?;
    if errno == number(Errno::Success) && fd != to {
        let listings = &mut call.state.listings;
        listings.remove(to);
        if let Some(listing) = listings.remove(fd) {
            listings.insert(to, listing);
        }
    }
    Ok(errno)
}
