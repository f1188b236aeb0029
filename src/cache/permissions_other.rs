//! Replaces `permissions.rs` on systems whose file permissions wrun cannot check: no cache is used there.

use std::fs::{File, Metadata};
use std::io;
use std::path::Path;

use tempfile::NamedTempFile;

pub(super) fn check_folder(_: &Path) -> io::Result<()> {
    Err(unsupported())
}

pub(super) fn create_folder(_: &Path) -> io::Result<()> {
    Err(unsupported())
}

pub(super) fn create_entry(_: &Path, _: &str) -> io::Result<NamedTempFile> {
    Err(unsupported())
}

pub(super) fn open_entry(_: &Path) -> io::Result<(File, Metadata)> {
    Err(unsupported())
}

pub(super) fn open_private(_: &Path, _: bool) -> io::Result<File> {
    Err(unsupported())
}

pub(super) fn guests_ignore_modes() -> bool {
    true
}

pub(super) fn obey_modes() -> io::Result<()> {
    Err(unsupported())
}

fn unsupported() -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, "wrun cannot check on this system which users can write to it")
}
