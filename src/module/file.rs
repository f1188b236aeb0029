//! A module in a file, read as late as can be.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::OnceLock;

use blake3::Hash;

use super::hash;

/// A module, binary or text, in a file.
///
/// Of a large file, only a hash is made where its code is in a cache: to give 70 MB of memory to a module nobody looks at takes
/// longer than to find and check its code. Smaller ones, and what is no ordinary file (a pipe), are read and closed at once.
#[derive(Debug)]
pub struct ModuleFile {
    contents: Contents,
    /// Of bytes that are read late it is set before they are, so that they are what it is of.
    hash: OnceLock<Hash>,
}

#[derive(Debug)]
enum Contents {
    Read(Vec<u8>),
    /// A large file, and its length when it was opened.
    Late(File, u64, OnceLock<Vec<u8>>),
}

impl ModuleFile {
    /// Opens a file.
    ///
    /// # Errors
    /// Those of opening and reading it.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let metadata = file.metadata()?;
        if metadata.is_file() && metadata.len() >= hash::LARGE_FILE as u64 {
            let contents = Contents::Late(file, metadata.len(), OnceLock::new());
            return Ok(Self { contents, hash: OnceLock::new() });
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(Self { contents: Contents::Read(bytes), hash: OnceLock::new() })
    }

    /// All of it.
    ///
    /// # Errors
    /// Those of reading it; [`io::ErrorKind::InvalidData`] where it is not what it was when it was hashed, and
    /// [`io::ErrorKind::UnexpectedEof`] where it has become shorter.
    pub fn bytes(&self) -> io::Result<&[u8]> {
        let (file, length, kept) = match &self.contents {
            Contents::Read(bytes) => return Ok(bytes),
            Contents::Late(file, length, kept) => (file, *length, kept),
        };
        if let Some(bytes) = kept.get() {
            return Ok(bytes);
        }
        let bytes = read(file, 0, length)?;
        let found = hash::contents(&bytes);
        if *self.hash.get_or_init(|| found) != found {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the module was written to while it was read"));
        }
        Ok(kept.get_or_init(|| bytes))
    }

    /// Returns the length in bytes; that of a large file when it was opened.
    pub(crate) fn len(&self) -> u64 {
        match &self.contents {
            Contents::Read(bytes) => bytes.len() as u64,
            Contents::Late(_, length, _) => *length,
        }
    }

    /// The hash of all of it.
    ///
    /// # Errors
    /// Those of reading it.
    pub(crate) fn hash(&self) -> io::Result<Hash> {
        if let Some(hash) = self.hash.get() {
            return Ok(*hash);
        }
        let hash = match &self.contents {
            Contents::Read(bytes) => hash::contents(bytes),
            Contents::Late(file, length, _) => hash::of_file(file, *length)?,
        };
        Ok(*self.hash.get_or_init(|| hash))
    }
}

/// Bytes of a file, from a place in it.
///
/// # Errors
/// As [`fill`]; [`io::ErrorKind::OutOfMemory`] where there is no memory for so many.
pub(crate) fn read(file: &File, start: u64, length: u64) -> io::Result<Vec<u8>> {
    let length = usize::try_from(length).map_err(io::Error::other)?;
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(length)?;
    bytes.resize(length, 0);
    fill(file, start, &mut bytes)?;
    Ok(bytes)
}

/// Fills `bytes` from a place in a file, which threads may do at once.
///
/// # Errors
/// Those of reading; [`io::ErrorKind::UnexpectedEof`] where the file ends before.
#[cfg(unix)]
pub(crate) fn fill(file: &File, start: u64, bytes: &mut [u8]) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, start)
}

#[cfg(windows)]
pub(crate) fn fill(file: &File, mut start: u64, mut bytes: &mut [u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let read = std::os::windows::fs::FileExt::seek_read(file, bytes, start)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        (bytes, start) = (&mut bytes[read..], start + read as u64);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::{Seek, Write};

    use super::*;

    #[test]
    fn a_large_file_has_the_hash_and_the_bytes_of_its_contents() {
        let large = hash::LARGE_FILE;
        let contents: Vec<u8> = (0..500_001_u32).flat_map(u32::to_le_bytes).collect();
        for length in [0, 5, large - 1, large, contents.len()] {
            let mut written = tempfile::NamedTempFile::new().unwrap();
            written.write_all(&contents[..length]).unwrap();
            let module = ModuleFile::open(written.path()).unwrap();
            assert_eq!(matches!(module.contents, Contents::Read(_)), length < large);
            assert_eq!(module.hash().unwrap(), hash::contents(&contents[..length]));
            assert_eq!(module.bytes().unwrap(), &contents[..length]);
        }
    }

    #[test]
    fn what_is_written_to_between_hash_and_bytes_is_refused() {
        let mut written = tempfile::NamedTempFile::new().unwrap();
        written.write_all(&vec![1; hash::LARGE_FILE]).unwrap();
        let module = ModuleFile::open(written.path()).unwrap();
        module.hash().unwrap();
        written.as_file_mut().rewind().unwrap();
        written.write_all(b"2").unwrap();
        assert_eq!(module.bytes().unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
