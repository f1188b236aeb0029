//! A placeholder.

use std::path::{Path, PathBuf};

use futures_util::future::BoxFuture;
use virtual_fs::{EmptyFileSystem, FileSystem, Metadata, OpenOptions, ReadDir, Result as FsResult};

use crate::capabilities::DirGrant;
use crate::error::{Error, ErrorKind, Result};

/// Refuses all grants.
pub(super) fn file_system(dirs: &[DirGrant]) -> Result<GrantedFiles> {
    if dirs.is_empty() { Ok(GrantedFiles) } else { Err(Error::new(ErrorKind::Grant, "no folders yet")) }
}

/// Nothing.
#[derive(Clone, Debug)]
pub(super) struct GrantedFiles;

static EMPTY: EmptyFileSystem = EmptyFileSystem {};

impl FileSystem for GrantedFiles {
    fn readlink(&self, path: &Path) -> FsResult<PathBuf> {
        EMPTY.readlink(path)
    }
    fn read_dir(&self, path: &Path) -> FsResult<ReadDir> {
        EMPTY.read_dir(path)
    }
    fn create_dir(&self, path: &Path) -> FsResult<()> {
        EMPTY.create_dir(path)
    }
    fn remove_dir(&self, path: &Path) -> FsResult<()> {
        EMPTY.remove_dir(path)
    }
    fn rename<'a>(&'a self, from: &'a Path, to: &'a Path) -> BoxFuture<'a, FsResult<()>> {
        EMPTY.rename(from, to)
    }
    fn metadata(&self, path: &Path) -> FsResult<Metadata> {
        EMPTY.metadata(path)
    }
    fn symlink_metadata(&self, path: &Path) -> FsResult<Metadata> {
        EMPTY.symlink_metadata(path)
    }
    fn remove_file(&self, path: &Path) -> FsResult<()> {
        EMPTY.remove_file(path)
    }
    fn new_open_options(&self) -> OpenOptions<'_> {
        EMPTY.new_open_options()
    }
}
