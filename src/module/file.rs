//! A module in a file, read only when its bytes are needed.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::OnceLock;

use blake3::Hash;

use super::{hash, read_at};

/// A module, binary or text, in a file.
///
/// A large file whose code is in a cache is only hashed: reading 70 MB into memory takes longer than finding and checking the
/// cached code. Small files, and pipes and other special files, are read and closed at once.
#[derive(Debug)]
pub struct ModuleFile {
    contents: Contents,
    /// For a deferred file this is set before the bytes are read, so that a change in between is noticed.
    hash: OnceLock<Hash>,
}

#[derive(Debug)]
enum Contents {
    Read(Vec<u8>),
    /// A large file, its length when it was opened, and its bytes once they were read.
    Deferred(File, u64, OnceLock<Vec<u8>>),
}

impl ModuleFile {
    /// Opens a file; reads it unless it is large.
    ///
    /// # Errors
    /// Those of opening and reading the file.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let metadata = file.metadata()?;
        if metadata.is_file() && metadata.len() >= hash::LARGE_FILE as u64 {
            let contents = Contents::Deferred(file, metadata.len(), OnceLock::new());
            return Ok(Self { contents, hash: OnceLock::new() });
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(Self { contents: Contents::Read(bytes), hash: OnceLock::new() })
    }

    /// Returns the contents.
    ///
    /// # Errors
    /// Those of reading the file; [`io::ErrorKind::InvalidData`] if it changed since it was hashed,
    /// [`io::ErrorKind::UnexpectedEof`] if it became shorter.
    pub fn bytes(&self) -> io::Result<&[u8]> {
        let (file, length, cached) = match &self.contents {
            Contents::Read(bytes) => return Ok(bytes),
            Contents::Deferred(file, length, cached) => (file, *length, cached),
        };
        if let Some(bytes) = cached.get() {
            return Ok(bytes);
        }
        let bytes = read_at::read_range(file, 0, length)?;
        let found = hash::contents(&bytes);
        if *self.hash.get_or_init(|| found) != found {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the file changed while it was read"));
        }
        Ok(cached.get_or_init(|| bytes))
    }

    /// Returns the length in bytes; that of a large file when it was opened.
    pub(crate) fn len(&self) -> u64 {
        match &self.contents {
            Contents::Read(bytes) => bytes.len() as u64,
            Contents::Deferred(_, length, _) => *length,
        }
    }

    /// Returns the hash of the contents.
    ///
    /// # Errors
    /// Those of reading the file.
    pub(crate) fn hash(&self) -> io::Result<Hash> {
        if let Some(hash) = self.hash.get() {
            return Ok(*hash);
        }
        let hash = match &self.contents {
            Contents::Read(bytes) => hash::contents(bytes),
            Contents::Deferred(file, length, _) => hash::of_file(file, *length)?,
        };
        Ok(*self.hash.get_or_init(|| hash))
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Seek, Write};

    use super::*;

    #[test]
    fn hash_and_bytes_are_those_of_the_contents_at_any_size() {
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
    fn a_file_that_changes_between_hash_and_bytes_is_refused() {
        let mut written = tempfile::NamedTempFile::new().unwrap();
        written.write_all(&vec![1; hash::LARGE_FILE]).unwrap();
        let module = ModuleFile::open(written.path()).unwrap();
        module.hash().unwrap();
        written.as_file_mut().rewind().unwrap();
        written.write_all(b"2").unwrap();
        assert_eq!(module.bytes().unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
