//! Directories that a guest may change: copies for each run, and their contents afterwards.

use std::collections::BTreeMap;
use std::fs::{self, File};
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

impl Copies {
    /// Copies the directories that may be changed, and grants the copies in their place.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] if one cannot be copied, with its path.
    pub(super) fn of(capabilities: &mut Capabilities) -> Result<Self> {
        let mut all = Vec::new();
        for grant in capabilities.dirs.iter_mut().filter(|grant| grant.access == Access::ReadWrite) {
            let copied = tempfile::tempdir().and_then(|copy| copy_directory(&grant.host, copy.path()).map(|()| copy));
            let copy = copied.map_err(|error| failure("copy", &grant.host, error))?;
            copy.path().clone_into(&mut grant.host);
            all.push((grant.guest.clone(), copy));
        }
        Ok(Self(all))
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
