//! Directories that a guest may change: copies for each run, and their contents afterwards.

use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::{FileExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use rustix::fs::SeekFrom;
use rustix::io::Errno;
use tempfile::TempDir;

use crate::capabilities::{Access, Capabilities};
use crate::error::{Error, ErrorKind, Result};
use crate::escape::EscapedPath;

/// The contents of a directory, by path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Files(BTreeMap<PathBuf, Entry>);

/// A file in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Entry {
    Directory,
    /// The hash of its contents, and whether its owner may execute it.
    File(blake3::Hash, bool),
    Link(PathBuf),
    /// A FIFO, a socket or a device.
    Other,
}

impl Files {
    /// Describes the entry at a path.
    pub(super) fn describe(&self, path: &Path) -> String {
        match self.0.get(path) {
            None => "absent".to_owned(),
            Some(Entry::Directory) => "directory".to_owned(),
            Some(Entry::File(hash, is_executable)) => {
                format!("{} {}", if *is_executable { "executable file" } else { "file" }, &hash.to_hex()[..16])
            }
            Some(Entry::Link(target)) => format!("link to {}", target.display()),
            Some(Entry::Other) => "special file".to_owned(),
        }
    }

    /// Returns the first path whose entries differ.
    pub(super) fn first_difference<'a>(&'a self, other: &'a Self) -> Option<&'a Path> {
        let paths = self.0.keys().chain(other.0.keys()).map(PathBuf::as_path);
        paths.filter(|path| self.0.get(*path) != other.0.get(*path)).min()
    }
}

/// Copies of the directories that a guest may change. They are deleted when this is dropped.
#[derive(Debug, Default)]
pub(super) struct Copies(Vec<(String, TempDir)>);

impl Drop for Copies {
    /// Removes the copies. Their directories have the modes of the originals, so the contents of a read-only one cannot be removed
    /// at first.
    fn drop(&mut self) {
        for (_, copy) in self.0.drain(..) {
            let path = copy.path().to_owned();
            if copy.close().is_err() {
                let removed = unlock(&path).and_then(|()| fs::remove_dir_all(&path));
                removed.unwrap_or_else(|error| tracing::info!("cannot remove {}: {error}", path.display()));
            }
        }
    }
}

impl Copies {
    /// Copies the directories that may be changed, and grants the copies in their place.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] if one cannot be copied, with its path; [`ErrorKind::Grant`] if it contains the temporary directory.
    pub(super) fn of(capabilities: &mut Capabilities) -> Result<Self> {
        let mut copies = Self::default();
        for grant in capabilities.dirs.iter_mut().filter(|grant| grant.access == Access::ReadWrite) {
            let copy = tempfile::tempdir().map_err(|error| failure("copy", &grant.host, error))?;
            let path = copy.path().to_owned();
            copies.0.push((grant.guest.clone(), copy));
            let is_within = fs::canonicalize(&path)
                .is_ok_and(|path| fs::canonicalize(&grant.host).is_ok_and(|granted| path.starts_with(granted)));
            if is_within {
                return Err(contains_copies(&grant.host));
            }
            copy_directory(&grant.host, &path).map_err(|error| failure("copy", &grant.host, error))?;
            grant.host = path;
        }
        Ok(copies)
    }

    /// Reads the contents of the copies, by the guest's path.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] if they cannot be read.
    pub(super) fn contents(&self) -> Result<BTreeMap<String, Files>> {
        let read = self.0.iter().map(|(guest, copy)| {
            let mut entries = BTreeMap::new();
            let read = read_directory(copy.path(), Path::new(""), &mut entries);
            read.map_err(|error| failure("read the copy of", Path::new(guest), error))?;
            Ok((guest.clone(), Files(entries)))
        });
        read.collect()
    }
}

/// The error for a directory that would be copied into itself.
fn contains_copies(granted: &Path) -> Error {
    let granted = EscapedPath(granted);
    let message = format!(
        "cannot copy the directory {granted}: it contains the folder for temporary files, where copies are made"
    );
    Error::new(ErrorKind::Grant, message)
        .with_hint("grant a directory in it, grant it as read-only, or set TMPDIR to a folder outside it")
}

fn failure(what: &str, path: &Path, error: io::Error) -> Error {
    Error::new(ErrorKind::Io, format!("cannot {what} the directory {}: {error}", path.display())).with_source(error)
}

fn copy_directory(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (source, target, kind) = (entry.path(), to.join(entry.file_name()), entry.file_type()?);
        if kind.is_dir() {
            fs::create_dir(&target)?;
            copy_directory(&source, &target)?;
            fs::set_permissions(&target, fs::metadata(&source)?.permissions())?;
        } else if kind.is_symlink() {
            symlink(fs::read_link(&source)?, &target)?;
        } else if kind.is_file() {
            copy_file(&File::open(&source)?, &File::create_new(&target)?)?;
        } else {
            let message = format!("{} is neither a file nor a directory nor a link", source.display());
            return Err(io::Error::new(io::ErrorKind::Unsupported, message));
        }
    }
    Ok(())
}

/// The size of a block of a file, in bytes.
const BLOCK: usize = 64 << 10;

/// Copies the contents and the mode of a file. Holes stay holes.
fn copy_file(from: &File, to: &File) -> io::Result<()> {
    let metadata = from.metadata()?;
    to.set_len(metadata.len())?;
    each_block(from, |offset, block| to.write_all_at(block, offset))?;
    to.set_permissions(metadata.permissions())
}

/// Hashes the length of a file and the blocks that have bytes other than zero, with their offsets. Holes cost nothing, so a guest
/// cannot make this take much longer than it took to write the file.
fn hash(file: &File) -> io::Result<blake3::Hash> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&file.metadata()?.len().to_le_bytes());
    each_block(file, |offset, block| {
        if block.iter().any(|byte| *byte != 0) {
            hasher.update(&offset.to_le_bytes()).update(block);
        }
        Ok(())
    })?;
    Ok(hasher.finalize())
}

/// Calls `visit` with each block of a file that may have bytes other than zero, and with its offset.
fn each_block(file: &File, mut visit: impl FnMut(u64, &[u8]) -> io::Result<()>) -> io::Result<()> {
    let (mut block, mut offset) = (vec![0; BLOCK], 0);
    loop {
        offset = match rustix::fs::seek(file, SeekFrom::Data(offset)) {
            Ok(data) => data - data % BLOCK as u64,
            Err(Errno::NXIO) => return Ok(()),
            // The file system does not support finding holes.
            Err(Errno::INVAL | Errno::OPNOTSUPP) => offset,
            Err(error) => return Err(error.into()),
        };
        let length = read_block(file, offset, &mut block)?;
        visit(offset, &block[..length])?;
        if length < BLOCK {
            return Ok(());
        }
        offset += length as u64;
    }
}

/// Reads a block, and returns its length, which is smaller than [`BLOCK`] at the end of the file.
fn read_block(file: &File, offset: u64, block: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while length < block.len() {
        match file.read_at(&mut block[length..], offset + length as u64) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}

/// Lets the owner change a directory and those in it.
fn unlock(directory: &Path) -> io::Result<()> {
    let mode = fs::symlink_metadata(directory)?.permissions().mode();
    fs::set_permissions(directory, Permissions::from_mode(mode | 0o700))?;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            unlock(&entry.path())?;
        }
    }
    Ok(())
}

fn read_directory(root: &Path, below: &Path, entries: &mut BTreeMap<PathBuf, Entry>) -> io::Result<()> {
    for entry in fs::read_dir(root.join(below))? {
        let entry = entry?;
        let (path, kind) = (below.join(entry.file_name()), entry.file_type()?);
        let found = if kind.is_dir() {
            read_directory(root, &path, entries)?;
            Entry::Directory
        } else if kind.is_symlink() {
            Entry::Link(fs::read_link(entry.path())?)
        } else if kind.is_file() {
            Entry::File(hash(&File::open(entry.path())?)?, entry.metadata()?.permissions().mode() & 0o100 != 0)
        } else {
            Entry::Other
        };
        entries.insert(path, found);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capabilities::DirGrant;

    #[test]
    fn holes_stay_holes_and_do_not_count_as_other_contents() {
        const LENGTH: u64 = 1 << 40;
        let dir = tempfile::tempdir().unwrap();
        let file =
            |name: &str| File::options().read(true).write(true).create_new(true).open(dir.path().join(name)).unwrap();
        let [sparse, zeros, other, copy] = ["sparse", "zeros", "other", "copy"].map(file);
        for (file, at) in [(&sparse, 1 << 39), (&zeros, 1 << 39), (&other, 1 << 38)] {
            file.set_len(LENGTH).unwrap();
            file.write_all_at(b"text", at).unwrap();
        }
        zeros.write_all_at(&vec![0; 3 * BLOCK], 77).unwrap();
        copy_file(&sparse, &copy).unwrap();
        let mut text = [0; 4];
        copy.read_exact_at(&mut text, 1 << 39).unwrap();
        assert_eq!((&text, copy.metadata().unwrap().len()), (b"text", LENGTH));
        let expected = hash(&sparse).unwrap();
        assert_eq!(hash(&copy).unwrap(), expected);
        assert_eq!(hash(&zeros).unwrap(), expected);
        assert_ne!(hash(&other).unwrap(), expected);
        other.set_len(0).unwrap();
        assert_ne!(hash(&other).unwrap(), expected);
    }

    #[test]
    fn a_directory_that_contains_the_copies_is_refused() {
        let mut capabilities = Capabilities::none().with_dir(DirGrant::new(std::env::temp_dir(), "/tmp"));
        let error = Copies::of(&mut capabilities).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Grant);
        assert!(error.message().contains("it contains the folder for temporary files"), "{error}");
    }

    /// Root could remove everything without the change of modes.
    #[test]
    fn a_copy_with_read_only_directories_keeps_their_modes_and_is_removed() {
        let set_mode = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        let original = tempfile::tempdir().unwrap();
        let outer = original.path().join("outer");
        let inner = outer.join("inner");
        fs::create_dir_all(&inner).unwrap();
        fs::write(inner.join("file"), "kept").unwrap();
        for path in [&inner, &outer] {
            set_mode(path, 0o555);
        }
        let mut capabilities = Capabilities::none().with_dir(DirGrant::new(original.path(), "/data"));
        let copies = Copies::of(&mut capabilities).unwrap();
        let copy = capabilities.dirs[0].host.clone();
        assert_eq!(fs::metadata(copy.join("outer/inner")).unwrap().permissions().mode() & 0o777, 0o555);
        assert_eq!(fs::read(copy.join("outer/inner/file")).unwrap(), b"kept");
        drop(copies);
        assert!(!copy.exists());
        for path in [&outer, &inner] {
            set_mode(path, 0o755);
        }
    }
}
