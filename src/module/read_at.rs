//! Positioned reads, which several threads may do at once.

use std::fs::File;
use std::io;

/// Reads `length` bytes of a file, starting at byte `offset`.
///
/// # Errors
/// Those of [`read_exact_at`]; [`io::ErrorKind::OutOfMemory`] if the bytes do not fit in memory.
pub(crate) fn read_range(file: &File, offset: u64, length: u64) -> io::Result<Vec<u8>> {
    let length = usize::try_from(length).map_err(io::Error::other)?;
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(length)?;
    bytes.resize(length, 0);
    read_exact_at(file, offset, &mut bytes)?;
    Ok(bytes)
}

/// Fills `buffer` from a file, starting at byte `offset`.
///
/// # Errors
/// Those of reading; [`io::ErrorKind::UnexpectedEof`] if the file ends too early.
#[cfg(unix)]
pub(crate) fn read_exact_at(file: &File, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, offset)
}

#[cfg(windows)]
pub(crate) fn read_exact_at(file: &File, mut offset: u64, mut buffer: &mut [u8]) -> io::Result<()> {
    while !buffer.is_empty() {
        let read = std::os::windows::fs::FileExt::seek_read(file, buffer, offset)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        (buffer, offset) = (&mut buffer[read..], offset + read as u64);
    }
    Ok(())
}
