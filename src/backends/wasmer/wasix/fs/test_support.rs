//! Helpers of the file system tests.

use std::fs;
use std::io::SeekFrom;
use std::path::Path;

use futures_util::FutureExt;
use tempfile::TempDir;
use virtual_fs::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt, FileSystem, Result as FsResult, VirtualFile};

use super::granted_fs::{GrantedFs, file_system};
use crate::capabilities::DirGrant;

pub(super) type OpenedFile = Box<dyn VirtualFile + Send + Sync>;

pub(super) fn path(text: &str) -> &Path {
    Path::new(text)
}

/// Creates host directories and grants them. Each item: guest path, host directory, access.
pub(super) fn grant(dirs: &[(&str, &str, &str)]) -> (TempDir, GrantedFs) {
    let root = tempfile::tempdir().unwrap();
    let grants: Vec<_> = dirs
        .iter()
        .map(|(guest, host, access)| {
            fs::create_dir_all(root.path().join(host)).unwrap();
            let grant = DirGrant::new(root.path().join(host), *guest);
            if *access == "ro" { grant.read_only() } else { grant }
        })
        .collect();
    let files = file_system(&grants).unwrap();
    (root, files)
}

/// Opens with options given as letters: read, write, append, truncate, create, create new (`x`).
pub(super) fn open(files: &dyn FileSystem, at: &Path, options: &str) -> FsResult<OpenedFile> {
    let has = |option| options.contains(option);
    let mut open = files.new_open_options();
    open.read(has('r')).write(has('w')).append(has('a')).truncate(has('t')).create(has('c')).create_new(has('x'));
    open.open(at)
}

pub(super) fn read(file: &mut OpenedFile) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).now_or_never().expect("the read blocks")?;
    Ok(bytes)
}

pub(super) fn write(file: &mut OpenedFile, bytes: &[u8]) -> std::io::Result<()> {
    file.write_all(bytes).now_or_never().expect("the write blocks")
}

pub(super) fn seek(file: &mut OpenedFile, to: SeekFrom) -> std::io::Result<u64> {
    file.seek(to).now_or_never().expect("the seek blocks")
}

pub(super) fn rename(files: &dyn FileSystem, from: &Path, to: &Path) -> FsResult<()> {
    files.rename(from, to).now_or_never().expect("the rename blocks")
}

pub(super) fn contents(files: &dyn FileSystem, at: &str) -> String {
    String::from_utf8(read(&mut open(files, path(at), "r").unwrap()).unwrap()).unwrap()
}

/// Lists a directory, with the type of each entry.
pub(super) fn list(files: &dyn FileSystem, at: &str) -> Vec<String> {
    let entries = files.read_dir(path(at)).unwrap().map(|entry| {
        let entry = entry.unwrap();
        let kind = match entry.file_type().unwrap() {
            kind if kind.is_dir() => "dir",
            kind if kind.is_file() => "file",
            kind if kind.is_symlink() => "link",
            kind if kind.is_fifo() => "pipe",
            _ => "other",
        };
        format!("{} {kind}", entry.path.display())
    });
    entries.collect()
}
