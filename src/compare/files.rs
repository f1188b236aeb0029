//! Directories that a guest may change: copies for each run, and their contents afterwards.

use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::capabilities::{Access, Capabilities};
use crate::error::{Error, ErrorKind, Result};

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
    /// [`ErrorKind::Io`] if one cannot be copied, with its path.
    pub(super) fn of(capabilities: &mut Capabilities) -> Result<Self> {
        let mut copies = Self::default();
        for grant in capabilities.dirs.iter_mut().filter(|grant| grant.access == Access::ReadWrite) {
            let copy = tempfile::tempdir().map_err(|error| failure("copy", &grant.host, error))?;
            let path = copy.path().to_owned();
            copies.0.push((grant.guest.clone(), copy));
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
            fs::copy(&source, &target)?;
        } else {
            let message = format!("{} is neither a file nor a directory nor a link", source.display());
            return Err(io::Error::new(io::ErrorKind::Unsupported, message));
        }
    }
    Ok(())
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
            let mut hasher = blake3::Hasher::new();
            hasher.update_reader(File::open(entry.path())?)?;
            Entry::File(hasher.finalize(), entry.metadata()?.permissions().mode() & 0o100 != 0)
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
