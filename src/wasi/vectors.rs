//! Reads and writes of several vectors in one call, of which wasmtime-wasi would use only the first.
//!
//! Small vectors are copied to or from one buffer of the host. A single vector, or a long one, is used in place.

use smallvec::SmallVec;
use wasmtime_wasi::p1::types::{Errno, Filetype, Iovec, Rights};
use wiggle::{GuestError, GuestMemory, GuestPtr};

use super::function::{HostCall, errno_of};
use super::open::file_type;
use super::paths::{CallResult, number};
use crate::runtime::host::HostError;

/// The maximum number of bytes to copy at once.
const MAX_COPIED: u32 = 64 << 10;

/// The maximum number of bytes of one write, as on Linux.
const MAX_WRITTEN: u32 = 0x7fff_f000;

/// Offsets in the host's buffer: the result follows the vector, and the bytes follow the result.
const OUT: i32 = 8;
const BYTES: u32 = 12;

/// The size of a vector in the guest's memory.
const VECTOR: i32 = 8;

/// The arguments of `fd_read` and `fd_write`: the descriptor, the vectors, their number, and the pointer to the result.
type Args = (i32, i32, i32, i32);
/// The same for `fd_pread` and `fd_pwrite`, with the position in the file before the pointer to the result.
type ArgsAt = (i32, i32, i32, i64, i32);

/// Reads at the current position.
pub(super) fn fd_read(
    mut call: HostCall<'_, '_>,
    (fd, vectors, count, out): Args,
    mut raw: impl FnMut(HostCall<'_, '_>, Args) -> CallResult,
) -> CallResult {
    let piece = Piece::next(call.memory, vectors, count)?;
    // wasmtime-wasi would wait for input and return `intr`.
    if piece.size == 0 && can_read(&mut call, fd)? {
        call.memory.write(GuestPtr::new(out.cast_unsigned()), 0_u32)?;
        return Ok(number(Errno::Success));
    }
    read(call, piece, (vectors, count, out), |call, (vectors, count, out)| raw(call, (fd, vectors, count, out)))
}

/// Reads at a position.
pub(super) fn fd_pread(
    mut call: HostCall<'_, '_>,
    (fd, vectors, count, position, out): ArgsAt,
    mut raw: impl FnMut(HostCall<'_, '_>, ArgsAt) -> CallResult,
) -> CallResult {
    let piece = Piece::next(call.memory, vectors, count)?;
    let is_empty = piece.size == 0;
    let errno = read(call.again(), piece, (vectors, count, out), |call, (vectors, count, out)| {
        raw(call, (fd, vectors, count, position, out))
    })?;
    // wasmtime-wasi returns `intr` for a read of no bytes.
    if errno != number(Errno::Intr) || !is_empty {
        return Ok(errno);
    }
    call.memory.write(GuestPtr::new(out.cast_unsigned()), 0_u32)?;
    Ok(number(Errno::Success))
}

/// Writes at the current position.
pub(super) fn fd_write(
    call: HostCall<'_, '_>,
    (fd, vectors, count, out): Args,
    mut raw: impl FnMut(HostCall<'_, '_>, Args) -> CallResult,
) -> CallResult {
    write(call, (vectors, count, out), |call, (vectors, count, out), _| raw(call, (fd, vectors, count, out)))
}

/// Writes at a position.
pub(super) fn fd_pwrite(
    call: HostCall<'_, '_>,
    (fd, vectors, count, position, out): ArgsAt,
    mut raw: impl FnMut(HostCall<'_, '_>, ArgsAt) -> CallResult,
) -> CallResult {
    write(call, (vectors, count, out), |call, (vectors, count, out), written| {
        raw(call, (fd, vectors, count, position.wrapping_add(written.into()), out))
    })
}

/// Reads into the first vectors: as many as fit into one copy, or a single longer one.
fn read(
    call: HostCall<'_, '_>,
    piece: Piece,
    (vectors, count, out): (i32, i32, i32),
    mut raw: impl FnMut(HostCall<'_, '_>, (i32, i32, i32)) -> CallResult,
) -> CallResult {
    if piece.copied.len() < 2 {
        return raw(call, (vectors, count, out));
    }
    let HostCall { state, memory, interrupt_token } = call;
    let mut copy = piece.copy();
    copy.0.resize(BYTES as usize + piece.size as usize, 0);
    let errno = raw(HostCall { state, memory: &mut copy.memory(), interrupt_token }, HostVector::ARGS)?;
    if errno == number(Errno::Success) {
        let mut bytes = copy.bytes()?;
        memory.write(GuestPtr::new(out.cast_unsigned()), u32::try_from(bytes.len())?)?;
        for Iovec { buf, buf_len } in piece.copied {
            let (part, rest) = bytes.split_at(bytes.len().min(buf_len as usize));
            memory.copy_from_slice(part, buf.as_array(u32::try_from(part.len())?))?;
            bytes = rest;
        }
    }
    Ok(errno)
}

/// Writes all vectors. An errno counts only if nothing was written before. `raw` also gets the number of bytes written so far.
fn write(
    call: HostCall<'_, '_>,
    (vectors, count, out): (i32, i32, i32),
    mut raw: impl FnMut(HostCall<'_, '_>, (i32, i32, i32), u32) -> CallResult,
) -> CallResult {
    if count == 1 {
        return raw(call, (vectors, count, out), 0);
    }
    let HostCall { state, memory, interrupt_token } = call;
    let result = GuestPtr::new(out.cast_unsigned());
    let (mut skipped, mut total) = (0, 0_u32);
    loop {
        let address = vectors.wrapping_add(skipped * VECTOR);
        let piece = match Piece::next(memory, address, count - skipped) {
            // The vectors before it are valid.
            Err(_) if total > 0 => break,
            piece => piece?,
        };
        if total > 0 && (piece.size == 0 || piece.size > MAX_WRITTEN.saturating_sub(total)) {
            break;
        }
        let (errno, written) = if piece.copied.len() < 2 {
            let call = HostCall { state: &mut *state, memory: &mut *memory, interrupt_token };
            (raw(call, (address, piece.count, out), total).or_else(errno_of)?, memory.read(result)?)
        } else {
            let mut copy = piece.copy();
            for vector in &piece.copied {
                copy.0.extend_from_slice(&memory.as_cow(vector.buf.as_array(vector.buf_len))?);
            }
            let call = HostCall { state: &mut *state, memory: &mut copy.memory(), interrupt_token };
            (raw(call, HostVector::ARGS, total)?, copy.result()?)
        };
        match errno {
            0 => total += written,
            errno if total == 0 => return Ok(errno),
            _ => break,
        }
        skipped += piece.count;
        if written < piece.size || skipped == count {
            break;
        }
        interrupt_token.check_interrupt()?;
    }
    memory.write(result, total)?;
    Ok(number(Errno::Success))
}

/// The next vectors to read or write together.
struct Piece {
    /// The vectors to copy, if they are short enough.
    copied: SmallVec<[Iovec; 8]>,
    /// The total number of bytes.
    size: u32,
    /// The number of vectors, including empty ones.
    count: i32,
}

impl Piece {
    /// Takes vectors that are in bounds and fit into one copy, or else the first one that is not empty.
    fn next(memory: &GuestMemory<'_>, vectors: i32, count: i32) -> Result<Self, GuestError> {
        let mut piece = Self { copied: SmallVec::new(), size: 0, count: 0 };
        for vector in GuestPtr::<Iovec>::new(vectors.cast_unsigned()).as_array(count.cast_unsigned()).iter() {
            let vector = match vector.and_then(|vector| memory.read(vector)) {
                Err(_) if piece.size > 0 => break,
                vector => vector?,
            };
            let is_copied = vector.buf_len <= MAX_COPIED - piece.size.min(MAX_COPIED)
                && memory.as_slice(vector.buf.as_array(vector.buf_len)).is_ok();
            if piece.size > 0 && !is_copied {
                break;
            }
            piece.count += 1;
            if vector.buf_len > 0 {
                piece.size += vector.buf_len;
                if !is_copied {
                    break;
                }
                piece.copied.push(vector);
            }
        }
        Ok(piece)
    }

    /// Creates a copy, without the bytes yet.
    fn copy(&self) -> HostVector {
        let mut copy = Vec::with_capacity(BYTES as usize + self.size as usize);
        for head in [BYTES, self.size, 0] {
            copy.extend_from_slice(&head.to_le_bytes());
        }
        HostVector(copy)
    }
}

/// A memory of the host with one vector, the result of the call, and the bytes of the vector.
struct HostVector(Vec<u8>);

impl HostVector {
    /// The vectors, their number, and the pointer to the result.
    const ARGS: (i32, i32, i32) = (0, 1, OUT);

    fn memory(&mut self) -> GuestMemory<'_> {
        GuestMemory::Unshared(&mut self.0)
    }

    /// Returns the number of bytes that were read or written.
    fn result(&self) -> Result<u32, HostError> {
        Ok(u32::from_le_bytes(self.0[OUT as usize..BYTES as usize].try_into()?))
    }

    /// Returns the bytes that were read.
    fn bytes(&self) -> Result<&[u8], HostError> {
        Ok(&self.0[BYTES as usize..][..self.result()? as usize])
    }
}

/// Returns whether a descriptor is open for reading, and not a directory.
fn can_read(call: &mut HostCall<'_, '_>, fd: i32) -> Result<bool, HostError> {
    let found = file_type(call, fd)?;
    Ok(found.is_ok_and(|(ty, rights)| ty != Filetype::Directory && rights & Rights::FD_READ.bits() != 0))
}
