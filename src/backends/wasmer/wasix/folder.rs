//! One granted folder.

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt};
use virtual_fs::{FsError, Metadata, OpenOptionsConfig, Result as FsResult};

use super::errors::fs_error;
use super::stat;
use crate::capabilities::{Access, DirGrant};
use crate::error::{Error, ErrorKind, Result};

/// A granted folder and what may be done to it. Paths are relative to it, and lead nowhere out of it: cap-std follows no
/// symbolic link that does.
#[derive(Debug)]
pub(super) struct Folder {
    dir: Dir,
    access: Access,
}

impl Folder {
    /// Opens what is granted.
    pub(super) fn open(grant: &DirGrant) -> Result<Self> {
        let opened = Dir::open_ambient_dir(&grant.host, ambient_authority());
        let dir = opened
            .map_err(|error| Error::new(ErrorKind::Grant, format!("the folder {}: {error}", grant.host.display())))?;
        Ok(Self { dir, access: grant.access })
    }

    /// What may be done to it.
    pub(super) fn access(&self) -> Access {
        self.access
    }

    /// Whether it may be changed.
    pub(super) fn writable(&self) -> FsResult<()> {
        match self.access {
            Access::ReadWrite => Ok(()),
            Access::ReadOnly => Err(FsError::PermissionDenied),
        }
    }

    /// Whether there is a folder at this path, and no link to one.
    pub(super) fn has_folder(&self, path: &Path) -> bool {
        self.dir.symlink_metadata(in_dir(path)).is_ok_and(|found| found.is_dir())
    }

    /// Opens a regular file; whatever else is there is opened for nobody.
    pub(super) fn open_file(&self, path: &Path, conf: &OpenOptionsConfig) -> FsResult<File> {
        if conf.would_mutate() {
            self.writable()?;
        }
        let mut options = OpenOptions::new();
        options.read(conf.read).write(conf.write).append(conf.append);
        options.truncate(conf.truncate).create(conf.create).create_new(conf.create_new);
        // A pipe would keep the guest waiting where nothing stops it.
        options.custom_flags(libc::O_NONBLOCK);
        let file = self.dir.open_with(in_dir(path), &options).map_err(fs_error)?.into_std();
        match file.metadata().map_err(fs_error)?.file_type() {
            kind if kind.is_file() => Ok(file),
            kind if kind.is_dir() => Err(FsError::NotAFile),
            _ => Err(FsError::PermissionDenied),
        }
    }

    /// What is known of what a path leads to.
    pub(super) fn metadata(&self, path: &Path) -> FsResult<Metadata> {
        self.dir.metadata(in_dir(path)).map(|found| stat::told(&found)).map_err(fs_error)
    }

    /// The same, but of a link itself where the path's last name is one.
    pub(super) fn symlink_metadata(&self, path: &Path) -> FsResult<Metadata> {
        self.dir.symlink_metadata(in_dir(path)).map(|found| stat::told(&found)).map_err(fs_error)
    }

    /// What is in a folder, in no order.
    pub(super) fn read_dir(&self, path: &Path) -> FsResult<Vec<(OsString, FsResult<Metadata>)>> {
        let entries = self.dir.read_dir(in_dir(path)).map_err(fs_error)?;
        let found = entries.map(|entry| {
            let entry = entry.map_err(fs_error)?;
            Ok((entry.file_name(), entry.metadata().map(|found| stat::told(&found)).map_err(fs_error)))
        });
        // What is gone since it was found is not there.
        found.filter(|entry| !matches!(entry, Ok((_, Err(FsError::EntryNotFound))))).collect()
    }

    /// Where a symbolic link leads, which is told only of one that leads nowhere by an absolute path.
    pub(super) fn read_link(&self, path: &Path) -> FsResult<PathBuf> {
        self.dir.read_link(in_dir(path)).map_err(fs_error)
    }

    /// Makes a folder.
    pub(super) fn create_dir(&self, path: &Path) -> FsResult<()> {
        self.writable()?;
        self.dir.create_dir(in_dir(path)).map_err(fs_error)
    }

    /// Makes a symbolic link, but none to an absolute path.
    pub(super) fn symlink(&self, target: &Path, path: &Path) -> FsResult<()> {
        self.writable()?;
        self.dir.symlink(target, in_dir(path)).map_err(fs_error)
    }

    /// Removes a folder that is empty.
    pub(super) fn remove_dir(&self, path: &Path) -> FsResult<()> {
        self.writable()?;
        self.dir.remove_dir(in_dir(path)).map_err(fs_error)
    }

    /// Removes what is no folder.
    pub(super) fn remove_file(&self, path: &Path) -> FsResult<()> {
        self.writable()?;
        self.dir.remove_file(in_dir(path)).map_err(fs_error)
    }

    /// Gives something another name, in place of what had that name before. Not a link that would lead nowhere from there:
    /// WASIX looks where it leads once it is renamed, and panics if that is nowhere.
    pub(super) fn rename(&self, from: &Path, to: &Path) -> FsResult<()> {
        self.writable()?;
        if self.symlink_metadata(from)?.file_type().is_symlink() {
            let target = to.with_file_name(self.read_link(from)?);
            self.metadata(&target).or(Err(FsError::PermissionDenied))?;
        }
        self.dir.rename(in_dir(from), &self.dir, in_dir(to)).map_err(fs_error)
    }
}

/// The path by which the host finds what is in a folder; an empty one is the folder itself.
fn in_dir(path: &Path) -> &Path {
    if path.as_os_str().is_empty() { Path::new(".") } else { path }
}
