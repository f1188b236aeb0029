//! Hashing, on several threads where that pays.

use std::cell::RefCell;
use std::fs::File;
use std::io;

use blake3::hazmat::{self, ChainingValue, HasherExt, Mode};
use blake3::{Hash, Hasher};

use super::{file, pool};

/// From this many bytes on, starting threads costs less than it saves (4 MiB in memory: 0.65 ms on one thread, 0.4 on two).
const LARGE: usize = 4 << 20;

/// From this many bytes on, a file is better hashed piece by piece than read into memory, whose pages take longer.
pub(crate) const LARGE_FILE: usize = 1 << 20;

/// How much of a file a thread reads and hashes at a time: what a processor keeps close, and a subtree of the hash.
const PIECE: usize = 256 << 10;

thread_local! {
    /// What a thread reads into. New memory for all of a file takes longer than reading and hashing it.
    static READ: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// The hash of bytes.
pub(crate) fn contents(bytes: &[u8]) -> Hash {
    let mut hasher = Hasher::new();
    add(&mut hasher, bytes);
    hasher.finalize()
}

/// Adds `bytes` to what is hashed.
pub(crate) fn add(hasher: &mut Hasher, bytes: &[u8]) {
    if bytes.len() >= LARGE && pool::has_threads() {
        hasher.update_rayon(bytes);
    } else {
        hasher.update(bytes);
    }
}

/// The hash of the first `length` bytes of a file, [`LARGE_FILE`] or more: all threads read and hash, each its own pieces,
/// where that pays.
///
/// # Errors
/// Those of reading; [`io::ErrorKind::UnexpectedEof`] where the file is shorter.
pub(crate) fn of_file(file: &File, length: u64) -> io::Result<Hash> {
    let (left, right) = halves(file, 0, length, length >= LARGE as u64 && pool::has_threads())?;
    Ok(hazmat::merge_subtrees_root(&left, &right, Mode::Hash))
}

fn halves(file: &File, start: u64, length: u64, threads: bool) -> io::Result<(ChainingValue, ChainingValue)> {
    let left = hazmat::left_subtree_len(length);
    let left_half = || subtree(file, start, left, threads);
    let right_half = || subtree(file, start + left, length - left, threads);
    let halves = if threads { rayon::join(left_half, right_half) } else { (left_half(), right_half()) };
    Ok((halves.0?, halves.1?))
}

fn subtree(file: &File, start: u64, length: u64, threads: bool) -> io::Result<ChainingValue> {
    if length > PIECE as u64 {
        let (left, right) = halves(file, start, length, threads)?;
        return Ok(hazmat::merge_subtrees_non_root(&left, &right, Mode::Hash));
    }
    READ.with_borrow_mut(|piece| {
        piece.resize(usize::try_from(length).map_err(io::Error::other)?, 0);
        file::fill(file, start, piece)?;
        Ok(Hasher::new().set_input_offset(start).update(piece).finalize_non_root())
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_file_has_the_hash_of_its_bytes() {
        let large = LARGE_FILE;
        let bytes: Vec<u8> = (0..1_000_003_u32).flat_map(u32::to_le_bytes).collect();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bytes).unwrap();
        for length in [large, large + 1, large + 1024, large + PIECE, large + PIECE + 1, large * 2, bytes.len()] {
            assert_eq!(of_file(&file, length as u64).unwrap(), blake3::hash(&bytes[..length]), "{length} bytes");
        }
        let error = of_file(&file, bytes.len() as u64 + 1).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }
}
