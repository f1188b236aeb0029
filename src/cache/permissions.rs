//! Whose a folder or a file is: code is only run from where nobody but this user can put any.
//!
//! That leaves guests, which write with the user's rights where they are granted a folder, should the cache be in one. They
//! cannot change a file's mode: WASI has no call for it. So an entry has a mode that no file is created with, whatever the
//! umask, from its first moment on; one that has another was not put there by this program. Modes are nothing to root, whose
//! guests are refused such a grant.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::fs::OFlags;
use tempfile::{Builder, NamedTempFile};

/// The permissions of others to write: a group and everybody.
const OTHERS_WRITE: u32 = 0o022;
/// The mode of an entry: for its owner alone to read, and for nobody to write. Files are created without leave to be executed.
const SEALED: u32 = 0o500;
/// The mode of what is noted beside entries.
const PRIVATE: u32 = 0o600;

/// Whether the folder is there and this user's alone to write to.
///
/// # Errors
/// [`ErrorKind::NotFound`] where there is none.
pub(super) fn check_folder(path: &Path) -> io::Result<()> {
    let metadata = fs::metadata(path)?;
    if !metadata.is_dir() {
        return Err(io::Error::new(ErrorKind::NotADirectory, "it is no folder"));
    }
    check_owner(&metadata)?;
    if metadata.mode() & OTHERS_WRITE != 0 {
        return refused(format!("others can write to it (its mode is {:o})", metadata.mode() & 0o7777));
    }
    Ok(())
}

/// Makes the folder where there is none, and those above it, for this user alone (XDG base directory specification).
pub(super) fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// A new file in a folder, to become an entry: nobody but who holds it can write to it, now or later.
pub(super) fn new_entry(folder: &Path, prefix: &str) -> io::Result<NamedTempFile> {
    let file = Builder::new().prefix(prefix).permissions(Permissions::from_mode(SEALED)).tempfile_in(folder)?;
    // A umask may have taken some of it.
    file.as_file().set_permissions(Permissions::from_mode(SEALED))?;
    check_mode(&file.as_file().metadata()?)?;
    Ok(file)
}

/// Opens a file, where it is an ordinary one of this user's and has the mode of an entry.
///
/// # Errors
/// [`ErrorKind::NotFound`] where there is none.
pub(super) fn open(path: &Path) -> io::Result<(File, Metadata)> {
    let (file, metadata) = ordinary(OpenOptions::new().read(true), path)?;
    check_mode(&metadata)?;
    Ok((file, metadata))
}

/// Opens a file to read and to append to, where it is an ordinary one of this user's; where there is none, it is made if it is
/// to be.
///
/// # Errors
/// [`ErrorKind::NotFound`] where there is none.
pub(super) fn open_notes(path: &Path, make: bool) -> io::Result<File> {
    let (file, _) = ordinary(OpenOptions::new().read(true).append(true).create(make).mode(PRIVATE), path)?;
    Ok(file)
}

/// Whether guests that are granted a folder can write to entries in it.
pub(super) fn guests_overrule_modes() -> bool {
    rustix::process::geteuid().is_root()
}

/// Opens what is no link, and does not wait for whoever is at the other end of a pipe.
fn ordinary(options: &mut OpenOptions, path: &Path) -> io::Result<(File, Metadata)> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits();
    let file = options.custom_flags(flags.cast_signed()).open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::new(ErrorKind::InvalidData, "it is no ordinary file"));
    }
    check_owner(&metadata)?;
    Ok((file, metadata))
}

fn check_mode(metadata: &Metadata) -> io::Result<()> {
    let mode = metadata.mode() & 0o7777;
    if mode == SEALED { Ok(()) } else { refused(format!("its mode is {mode:o}, not {SEALED:o}")) }
}

fn check_owner(metadata: &Metadata) -> io::Result<()> {
    let me = rustix::process::geteuid().as_raw();
    if metadata.uid() == me {
        return Ok(());
    }
    refused(format!("it belongs to another user (number {}, not {me})", metadata.uid()))
}

fn refused<T>(why: String) -> io::Result<T> {
    Err(io::Error::new(ErrorKind::PermissionDenied, why))
}
