//! The twin of `custody.rs` on systems where it is not known how to tell who can write to a file: nothing is trusted.

use std::fs::{File, Metadata};
use std::io;
use std::path::Path;

pub(super) fn check_folder(_: &Path) -> io::Result<()> {
    Err(unknown())
}

pub(super) fn make_folder(_: &Path) -> io::Result<()> {
    Err(unknown())
}

pub(super) fn seal(_: &File) -> io::Result<()> {
    Err(unknown())
}

pub(super) fn open(_: &Path) -> io::Result<(File, Metadata)> {
    Err(unknown())
}

fn unknown() -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, "who else can write to it cannot be told on this system")
}
