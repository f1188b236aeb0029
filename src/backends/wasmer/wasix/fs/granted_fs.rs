//! The granted directories and the paths of their open files.

use std::cell::{Cell, RefCell};
use std::fs::FileTimes;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use virtual_fs::{FsError, Metadata, Result as FsResult};

use super::convert;
use super::dir::GrantedDir;
use super::mounts::{Mounts, Node};
use super::open_paths::OpenPaths;
use super::pretend::{is_pretended, takes_only_dirs, with_mode};
use crate::capabilities::DirGrant;
use crate::error::Result;

thread_local! {
    /// Whether to record each file whose metadata is read, and each directory whose entries are read.
    static OBSERVES: Cell<bool> = const { Cell::new(false) };
    /// The last recorded path.
    static OBSERVED: RefCell<Option<(GrantedFs, PathBuf)>> = const { RefCell::new(None) };
}

/// Makes a call. Returns its result, and the last path whose metadata or entries it read, with the file system.
pub(super) fn observe<T>(call: impl FnOnce() -> T) -> (T, Option<(GrantedFs, PathBuf)>) {
    OBSERVED.take();
    (with_mode(&OBSERVES, true, call), OBSERVED.take())
}

/// Records the file or directory that is read, if the call runs inside [`observe`].
pub(super) fn record_read(fs: &GrantedFs, path: impl FnOnce() -> Option<PathBuf>) {
    if OBSERVES.get() {
        OBSERVED.set(path().map(|path| (fs.clone(), path)));
    }
}

/// Creates the file system of checked grants.
///
/// # Errors
/// [`ErrorKind::Grant`](crate::ErrorKind::Grant) if a directory cannot be opened, a guest path has a `..`, or two guest paths
/// are the same from the root.
pub(in super::super) fn file_system(dirs: &[DirGrant]) -> Result<GrantedFs> {
    Ok(GrantedFs { mounts: Arc::new(Mounts::new(dirs)?), paths: Arc::default() })
}

/// All granted directories as one file system. Clones share its state. Its methods take normalized paths.
#[derive(Clone, Debug)]
pub(in super::super) struct GrantedFs {
    pub(super) mounts: Arc<Mounts>,
    paths: Arc<Mutex<OpenPaths>>,
}

impl GrantedFs {
    /// Returns the granted directory of a path, and the path in it.
    ///
    /// # Errors
    /// `fixed` if the path is a mount point or above one; [`FsError::EntryNotFound`] if no grant contains it.
    pub(super) fn resolve<'n>(&'n self, path: &'n Path, fixed: FsError) -> FsResult<(&'n GrantedDir, &'n Path)> {
        if self.mounts.is_fixed(path) {
            return Err(fixed);
        }
        self.mounts.granted(path).ok_or(FsError::EntryNotFound)
    }

    /// Resolves a path to create.
    ///
    /// # Errors
    /// Those of [`resolve`](Self::resolve); [`FsError::PermissionDenied`] if its parent is above the mount points.
    pub(super) fn resolve_new<'n>(&'n self, path: &'n Path, fixed: FsError) -> FsResult<(&'n GrantedDir, &'n Path)> {
        match (self.resolve(path, fixed), path.parent()) {
            (Err(FsError::EntryNotFound), Some(parent)) if self.mounts.is_fixed(parent) => {
                Err(FsError::PermissionDenied)
            }
            (resolved, _) => resolved,
        }
    }

    /// Locks the paths of the open files.
    pub(super) fn paths(&self) -> MutexGuard<'_, OpenPaths> {
        self.paths.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes the current path of an open file.
    pub(super) fn unlink(&self, id: u64) -> FsResult<()> {
        let paths = self.paths();
        let path = paths.get(id).ok_or(FsError::EntryNotFound)?;
        if is_pretended(path) {
            return Ok(());
        }
        let (dir, rest) = self.resolve(path, FsError::PermissionDenied)?;
        dir.remove_file(rest)
    }

    /// Renames within one grant.
    pub(super) fn rename_within(&self, from: &Path, to: &Path) -> FsResult<()> {
        let (source, old) = self.resolve(from, FsError::PermissionDenied)?;
        let (target, new) = self.resolve_new(to, FsError::PermissionDenied)?;
        source.check_writable()?;
        target.check_writable()?;
        if !std::ptr::eq(source, target) {
            return Err(FsError::Unsupported);
        }
        if takes_only_dirs() && !source.has_dir(old) {
            return Err(FsError::BaseNotDirectory);
        }
        let mut paths = self.paths();
        source.rename(old, new)?;
        paths.rename(from, to);
        Ok(())
    }

    /// Returns the metadata of a path, by `stat` if it is in a grant.
    pub(super) fn stat(&self, path: &Path, stat: fn(&GrantedDir, &Path) -> FsResult<Metadata>) -> FsResult<Metadata> {
        record_read(self, || Some(path.to_owned()));
        match self.mounts.node(path) {
            Some(Node::Granted(dir, rest)) => stat(dir, rest),
            Some(Node::Ancestor) => Ok(convert::virtual_dir()),
            None => Err(FsError::EntryNotFound),
        }
    }

    /// Returns whether there is a directory at this path. Does not follow a symbolic link.
    pub(super) fn has_dir(&self, path: &Path) -> bool {
        self.stat(path, GrantedDir::symlink_metadata).is_ok_and(|found| found.is_dir())
    }

    /// Sets the times of a file or directory.
    pub(super) fn set_times(&self, path: &Path, times: FileTimes) -> FsResult<()> {
        let (dir, rest) = self.mounts.granted(path).ok_or(FsError::PermissionDenied)?;
        dir.set_times(rest, times)
    }

    /// Waits until the entries of a directory are on the disk.
    pub(super) fn sync_dir(&self, path: &Path) -> FsResult<()> {
        // The ancestors of mount points are not on a disk.
        self.mounts.granted(path).map_or(Ok(()), |(dir, rest)| dir.sync(rest))
    }
}
