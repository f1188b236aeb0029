//! The file system of a WASIX guest: the granted folders at their guest paths, and nothing else.
//!
//! Whatever rights WASIX believes in, what is allowed is decided here. A path is made plain by its text before a folder is
//! chosen for it, and is resolved in that folder by cap-std; so neither `..` nor a link leads out of a grant.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::BoxFuture;
use virtual_fs::{
    DirEntry, FileOpener, FileSystem, FsError, Metadata, OpenOptions, OpenOptionsConfig, ReadDir, Result as FsResult,
    VirtualFile,
};

use super::file::OpenFile;
use super::folder::Folder;
use super::mounts::{Mounts, Node, plain};
use super::names::{NameId, Names};
use super::stat;
use crate::capabilities::DirGrant;
use crate::error::Result;

/// The file system that these grants make, which were checked.
///
/// # Errors
/// [`ErrorKind::Grant`](crate::ErrorKind::Grant) where a folder cannot be opened, or its guest path is none from one root,
/// or another's from there.
pub(super) fn file_system(dirs: &[DirGrant]) -> Result<GrantedFiles> {
    Ok(GrantedFiles { mounts: Arc::new(Mounts::new(dirs)?), names: Arc::default() })
}

/// All granted folders, as one file system. Clones are of the same, and any thread may use it.
#[derive(Clone, Debug)]
pub(super) struct GrantedFiles {
    mounts: Arc<Mounts>,
    names: Arc<Mutex<Names>>,
}

impl GrantedFiles {
    /// The folder and the path in it of a name that may be another's or nobody's; `fixed` where it may not.
    fn name<'n>(&'n self, path: &'n Path, fixed: FsError) -> FsResult<(&'n Folder, &'n Path)> {
        if self.mounts.fixed(path) {
            return Err(fixed);
        }
        self.mounts.granted(path).ok_or(FsError::EntryNotFound)
    }

    /// The same for a name that is to be given; none is given next to the grants.
    fn new_name<'n>(&'n self, path: &'n Path, fixed: FsError) -> FsResult<(&'n Folder, &'n Path)> {
        match (self.name(path, fixed), path.parent()) {
            (Err(FsError::EntryNotFound), Some(parent)) if self.mounts.fixed(parent) => Err(FsError::PermissionDenied),
            (named, _) => named,
        }
    }

    fn names(&self) -> MutexGuard<'_, Names> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes the name that an open file has by now.
    pub(super) fn unlink(&self, id: NameId) -> FsResult<()> {
        let names = self.names();
        let path = names.get(id).ok_or(FsError::EntryNotFound)?;
        let (folder, rest) = self.name(path, FsError::PermissionDenied)?;
        folder.remove_file(rest)
    }

    /// Forgets a file that is closed.
    pub(super) fn closed(&self, id: NameId) {
        self.names().remove(id);
    }

    fn rename_plain(&self, from: &Path, to: &Path) -> FsResult<()> {
        let (source, old) = self.name(from, FsError::PermissionDenied)?;
        let (target, new) = self.new_name(to, FsError::PermissionDenied)?;
        source.writable()?;
        target.writable()?;
        if !std::ptr::eq(source, target) {
            return Err(FsError::Unsupported);
        }
        let mut names = self.names();
        source.rename(old, new)?;
        names.renamed(from, to);
        Ok(())
    }

    fn stat(&self, path: &Path, look: fn(&Folder, &Path) -> FsResult<Metadata>) -> FsResult<Metadata> {
        match self.mounts.node(path) {
            Some(Node::Granted(folder, rest)) => look(folder, rest),
            Some(Node::OnTheWay) => Ok(stat::of_no_disk()),
            None => Err(FsError::EntryNotFound),
        }
    }
}

impl FileSystem for GrantedFiles {
    fn readlink(&self, path: &Path) -> FsResult<PathBuf> {
        let path = plain(path);
        let (folder, rest) = self.name(&path, FsError::InvalidInput)?;
        folder.read_link(rest)
    }

    fn read_dir(&self, path: &Path) -> FsResult<ReadDir> {
        let path = plain(path);
        let mut entries = match self.mounts.node(&path) {
            Some(Node::Granted(folder, rest)) => folder.read_dir(rest)?,
            Some(Node::OnTheWay) => Vec::new(),
            None => return Err(FsError::EntryNotFound),
        };
        let below = self.mounts.below(&path);
        entries.retain(|(name, _)| !below.contains(name));
        entries.extend(below.into_iter().map(|name| {
            let metadata = self.stat(&path.join(&name), Folder::symlink_metadata);
            (name, metadata)
        }));
        entries.sort_by(|(one, _), (other, _)| one.cmp(other));
        let path = Path::new("/").join(path);
        let entries = entries.into_iter().map(|(name, metadata)| DirEntry { path: path.join(name), metadata });
        Ok(ReadDir::new(entries.collect()))
    }

    fn create_dir(&self, path: &Path) -> FsResult<()> {
        let path = plain(path);
        let (folder, rest) = self.new_name(&path, FsError::AlreadyExists)?;
        folder.create_dir(rest)
    }

    fn create_symlink(&self, source: &Path, target: &Path) -> FsResult<()> {
        let target = plain(target);
        let (folder, rest) = self.new_name(&target, FsError::AlreadyExists)?;
        folder.symlink(source, rest)
    }

    /// None is made, as on a disk that knows none: WASIX counts the names of a file by itself, and would leave both where they
    /// are when a guest removes one. (This version of it does not ask either: it says there is a link, and makes none.)
    fn hard_link(&self, _source: &Path, _target: &Path) -> FsResult<()> {
        Err(FsError::PermissionDenied)
    }

    fn remove_dir(&self, path: &Path) -> FsResult<()> {
        let path = plain(path);
        let (folder, rest) = self.name(&path, FsError::PermissionDenied)?;
        folder.remove_dir(rest)
    }

    fn rename<'a>(&'a self, from: &'a Path, to: &'a Path) -> BoxFuture<'a, FsResult<()>> {
        Box::pin(async move { self.rename_plain(&plain(from), &plain(to)) })
    }

    fn metadata(&self, path: &Path) -> FsResult<Metadata> {
        self.stat(&plain(path), Folder::metadata)
    }

    fn symlink_metadata(&self, path: &Path) -> FsResult<Metadata> {
        self.stat(&plain(path), Folder::symlink_metadata)
    }

    fn remove_file(&self, path: &Path) -> FsResult<()> {
        let path = plain(path);
        let (folder, rest) = self.name(&path, FsError::PermissionDenied)?;
        folder.remove_file(rest)
    }

    fn new_open_options(&self) -> OpenOptions<'_> {
        OpenOptions::new(self)
    }
}

impl FileOpener for GrantedFiles {
    fn open(&self, path: &Path, conf: &OpenOptionsConfig) -> FsResult<Box<dyn VirtualFile + Send + Sync>> {
        let path = plain(path);
        let (folder, rest) = if conf.create || conf.create_new {
            self.new_name(&path, FsError::NotAFile)?
        } else {
            self.name(&path, FsError::NotAFile)?
        };
        // Nobody renames it before its name is known.
        let mut names = self.names();
        let file = folder.open_file(rest, conf)?;
        let access = folder.access();
        let id = names.add(path);
        Ok(Box::new(OpenFile::new(file, conf.clone(), access, self.clone(), id)))
    }
}

#[cfg(test)]
#[path = "files_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "files_escape_tests.rs"]
mod escape_tests;
