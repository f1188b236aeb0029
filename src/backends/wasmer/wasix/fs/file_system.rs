//! The granted directories as WASIX uses them.

use std::path::{Path, PathBuf};

use futures_util::future::BoxFuture;
use virtual_fs::{
    DirEntry, FileOpener, FileSystem, FsError, Metadata, OpenOptions, OpenOptionsConfig, ReadDir, Result as FsResult,
    VirtualFile,
};

use super::dir::GrantedDir;
use super::granted_fs::{GrantedFs, record_read};
use super::mounts::{Node, normalize};
use super::open_file::OpenFile;
use super::pretend::is_pretended;

impl FileSystem for GrantedFs {
    fn readlink(&self, path: &Path) -> FsResult<PathBuf> {
        let path = normalize(path);
        let (dir, rest) = self.resolve(&path, FsError::InvalidInput)?;
        dir.read_link(rest)
    }

    fn read_dir(&self, path: &Path) -> FsResult<ReadDir> {
        let path = normalize(path);
        let mut entries = match self.mounts.node(&path) {
            Some(Node::Granted(dir, rest)) => dir.read_dir(rest)?,
            Some(Node::Ancestor) => Vec::new(),
            None => return Err(FsError::EntryNotFound),
        };
        let fixed = self.mounts.fixed_names(&path);
        entries.retain(|(name, _)| !fixed.contains(name));
        entries.extend(fixed.into_iter().map(|name| {
            let metadata = self.stat(&path.join(&name), GrantedDir::symlink_metadata);
            (name, metadata)
        }));
        entries.sort_by(|(one, _), (other, _)| one.cmp(other));
        record_read(self, || Some(path.clone()));
        let path = Path::new("/").join(path);
        let entries = entries.into_iter().map(|(name, metadata)| DirEntry { path: path.join(name), metadata });
        Ok(ReadDir::new(entries.collect()))
    }

    fn create_dir(&self, path: &Path) -> FsResult<()> {
        let path = normalize(path);
        let (dir, rest) = self.resolve_new(&path, FsError::AlreadyExists)?;
        dir.create_dir(rest)
    }

    fn create_symlink(&self, source: &Path, target: &Path) -> FsResult<()> {
        let target = normalize(target);
        if is_pretended(&target) {
            return Ok(());
        }
        let (dir, rest) = self.resolve_new(&target, FsError::AlreadyExists)?;
        dir.symlink(source, rest)
    }

    /// Refuses hard links: WASIX counts the links of a file itself, and unlinking one name would remove neither.
    /// `overrides.rs` fails `path_link` before it gets here.
    fn hard_link(&self, _source: &Path, _target: &Path) -> FsResult<()> {
        Err(FsError::PermissionDenied)
    }

    fn remove_dir(&self, path: &Path) -> FsResult<()> {
        let path = normalize(path);
        let (dir, rest) = self.resolve(&path, FsError::PermissionDenied)?;
        dir.remove_dir(rest)
    }

    fn rename<'a>(&'a self, from: &'a Path, to: &'a Path) -> BoxFuture<'a, FsResult<()>> {
        Box::pin(async move { self.rename_within(&normalize(from), &normalize(to)) })
    }

    fn metadata(&self, path: &Path) -> FsResult<Metadata> {
        self.stat(&normalize(path), GrantedDir::metadata)
    }

    fn symlink_metadata(&self, path: &Path) -> FsResult<Metadata> {
        self.stat(&normalize(path), GrantedDir::symlink_metadata)
    }

    fn remove_file(&self, path: &Path) -> FsResult<()> {
        let path = normalize(path);
        if is_pretended(&path) {
            return Ok(());
        }
        let (dir, rest) = self.resolve(&path, FsError::PermissionDenied)?;
        dir.remove_file(rest)
    }

    fn new_open_options(&self) -> OpenOptions<'_> {
        OpenOptions::new(self)
    }
}

impl FileOpener for GrantedFs {
    fn open(&self, path: &Path, conf: &OpenOptionsConfig) -> FsResult<Box<dyn VirtualFile + Send + Sync>> {
        let path = normalize(path);
        let (dir, rest) = if conf.create || conf.create_new {
            self.resolve_new(&path, FsError::NotAFile)?
        } else {
            self.resolve(&path, FsError::NotAFile)?
        };
        // Hold the lock, so that no rename comes between opening the file and recording its path.
        let mut paths = self.paths();
        let file = dir.open_file(rest, conf)?;
        let (access, id) = (dir.access, paths.add(path));
        Ok(Box::new(OpenFile::new(file, conf.clone(), access, self.clone(), id)))
    }
}
