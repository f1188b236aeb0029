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
/// longer than to find and check its code. Smaller ones, and what is no ordinary file (a pipe), are read at once.
#[derive(Debug)]
pub struct ModuleFile {
    file: File,
    length: u64,
    bytes: OnceLock<Vec<u8>>,
    hash: OnceLock<Hash>,
}

impl ModuleFile {
    /// Opens a file.
    ///
    /// # Errors
    /// Those of opening and reading it.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let metadata = file.metadata()?;
        let (length, bytes) = (metadata.len(), OnceLock::new());
        if !metadata.is_file() || length < hash::LARGE_FILE as u64 {
            let mut all = Vec::new();
            file.read_to_end(&mut all)?;
            bytes.get_or_init(|| all);
        }
        Ok(Self { file, length, bytes, hash: OnceLock::new() })
    }

    /// All of it.
    ///
    /// # Errors
    /// Those of reading it; [`io::ErrorKind::InvalidData`] where it is not what it was when it was hashed, and
    /// [`io::ErrorKind::UnexpectedEof`] where it has become shorter.
    pub fn bytes(&self) -> io::Result<&[u8]> {
        if let Some(bytes) = self.bytes.get() {
            return Ok(bytes);
        }
        let length = usize::try_from(self.length).map_err(io::Error::other)?;
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(length)?;
        bytes.resize(length, 0);
        hash::read_at(&self.file, &mut bytes, 0)?;
        if self.hash.get().is_some_and(|hash| *hash != hash::contents(&bytes)) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the module was written to while it was read"));
        }
        Ok(self.bytes.get_or_init(|| bytes))
    }

    /// The hash of all of it.
    ///
    /// # Errors
    /// Those of reading it.
    pub(crate) fn hash(&self) -> io::Result<Hash> {
        if let Some(hash) = self.hash.get() {
            return Ok(*hash);
        }
        let hash = match self.bytes.get() {
            Some(bytes) => hash::contents(bytes),
            None => hash::of_file(&self.file, self.length)?,
        };
        Ok(*self.hash.get_or_init(|| hash))
    }
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
            assert_eq!(module.bytes.get().is_some(), length < large);
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
