//! One granted directory.

use std::ffi::OsString;
use std::fs::{File, FileTimes};
use std::io;
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt};
use virtual_fs::{FsError, Metadata, OpenOptionsConfig, Result as FsResult};

use super::convert::{self, fs_error};
use crate::capabilities::{Access, DirGrant};
use crate::error::{Error, ErrorKind, Result};

/// A granted directory and its access. Paths are relative to it. cap-std refuses those that lead out of it, by `..` or by a
/// symbolic link.
#[derive(Debug)]
pub(super) struct GrantedDir {
    dir: Dir,
    pub(super) access: Access,
}

impl GrantedDir {
    /// Opens the directory of a grant.
    ///
    /// # Errors
    /// [`ErrorKind::Grant`] if it cannot be opened.
    pub(super) fn open(grant: &DirGrant) -> Result<Self> {
        let dir = Dir::open_ambient_dir(&grant.host, ambient_authority()).map_err(|error| {
            let message = format!("cannot grant the directory {}: {error}", grant.host.display());
            Error::new(ErrorKind::Grant, message)
        })?;
        Ok(Self { dir, access: grant.access })
    }

    /// Checks that it may be changed.
    ///
    /// # Errors
    /// [`FsError::PermissionDenied`] if it is read-only.
    pub(super) fn check_writable(&self) -> FsResult<()> {
        match self.access {
            Access::ReadWrite => Ok(()),
            Access::ReadOnly => Err(FsError::PermissionDenied),
        }
    }

    /// Returns whether there is a directory at this path. Does not follow a symbolic link.
    pub(super) fn has_dir(&self, path: &Path) -> bool {
        self.dir.symlink_metadata(in_dir(path)).is_ok_and(|found| found.is_dir())
    }

    /// Opens a regular file.
    ///
    /// # Errors
    /// [`FsError::NotAFile`] for a directory, [`FsError::PermissionDenied`] for a pipe, socket or device.
    pub(super) fn open_file(&self, path: &Path, conf: &OpenOptionsConfig) -> FsResult<File> {
        if conf.would_mutate() {
            self.check_writable()?;
        }
        let mut options = OpenOptions::new();
        options.read(conf.read).write(conf.write).append(conf.append);
        options.truncate(conf.truncate).create(conf.create).create_new(conf.create_new);
        // Opening a pipe would block, and could not be interrupted.
        options.custom_flags(libc::O_NONBLOCK);
        let file = self.dir.open_with(in_dir(path), &options).map_err(fs_error)?.into_std();
        match file.metadata().map_err(fs_error)?.file_type() {
            kind if kind.is_file() => Ok(file),
            kind if kind.is_dir() => Err(FsError::NotAFile),
            _ => Err(FsError::PermissionDenied),
        }
    }

    /// Returns the metadata of a path, following symbolic links.
    pub(super) fn metadata(&self, path: &Path) -> FsResult<Metadata> {
        self.dir.metadata(in_dir(path)).map(|metadata| convert::metadata(&metadata)).map_err(fs_error)
    }

    /// Returns the metadata of a path, without following a symbolic link at its end.
    pub(super) fn symlink_metadata(&self, path: &Path) -> FsResult<Metadata> {
        self.dir.symlink_metadata(in_dir(path)).map(|metadata| convert::metadata(&metadata)).map_err(fs_error)
    }

    /// Sets the times of a file or directory, following symbolic links.
    pub(super) fn set_times(&self, path: &Path, times: FileTimes) -> FsResult<()> {
        self.check_writable()?;
        let open = |options: &mut OpenOptions| self.dir.open_with(in_dir(path), options.custom_flags(libc::O_NONBLOCK));
        // The owner may set the times of a file that is writable but not readable.
        let file = open(OpenOptions::new().read(true)).or_else(|error| match error.kind() {
            io::ErrorKind::PermissionDenied => open(OpenOptions::new().write(true)).map_err(|_| error),
            _ => Err(error),
        });
        file.map_err(fs_error)?.into_std().set_times(times).map_err(fs_error)
    }

    /// Waits until the entries of a directory are on the disk.
    pub(super) fn sync(&self, path: &Path) -> FsResult<()> {
        let mut options = OpenOptions::new();
        options.read(true).custom_flags(libc::O_DIRECTORY);
        self.dir.open_with(in_dir(path), &options).and_then(|dir| dir.sync_all()).map_err(fs_error)
    }

    /// Lists a directory, unordered.
    pub(super) fn read_dir(&self, path: &Path) -> FsResult<Vec<(OsString, FsResult<Metadata>)>> {
        let entries = self.dir.read_dir(in_dir(path)).map_err(fs_error)?;
        let entries = entries.map(|entry| {
            let entry = entry.map_err(fs_error)?;
            Ok((entry.file_name(), entry.metadata().map(|metadata| convert::metadata(&metadata)).map_err(fs_error)))
        });
        // Skip entries that were removed meanwhile.
        entries.filter(|entry| !matches!(entry, Ok((_, Err(FsError::EntryNotFound))))).collect()
    }

    /// Returns the target of a symbolic link, unless it is absolute.
    pub(super) fn read_link(&self, path: &Path) -> FsResult<PathBuf> {
        self.dir.read_link(in_dir(path)).map_err(fs_error)
    }

    /// Creates a directory.
    pub(super) fn create_dir(&self, path: &Path) -> FsResult<()> {
        self.check_writable()?;
        self.dir.create_dir(in_dir(path)).map_err(fs_error)
    }

    /// Creates a symbolic link, unless its target is absolute.
    pub(super) fn symlink(&self, target: &Path, path: &Path) -> FsResult<()> {
        self.check_writable()?;
        self.dir.symlink(target, in_dir(path)).map_err(fs_error)
    }

    /// Removes an empty directory.
    pub(super) fn remove_dir(&self, path: &Path) -> FsResult<()> {
        self.check_writable()?;
        self.dir.remove_dir(in_dir(path)).map_err(fs_error)
    }

    /// Removes anything but a directory.
    pub(super) fn remove_file(&self, path: &Path) -> FsResult<()> {
        self.check_writable()?;
        self.dir.remove_file(in_dir(path)).map_err(fs_error)
    }

    /// Renames, replacing the destination.
    pub(super) fn rename(&self, from: &Path, to: &Path) -> FsResult<()> {
        self.check_writable()?;
        self.dir.rename(in_dir(from), &self.dir, in_dir(to)).map_err(fs_error)
    }
}

/// Returns a path as the host takes it: `.` for the empty path, which is the directory itself.
fn in_dir(path: &Path) -> &Path {
    if path.as_os_str().is_empty() { Path::new(".") } else { path }
}
