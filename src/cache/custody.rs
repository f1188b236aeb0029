//! Whose a folder or a file is: code is only run from where nobody but this user can put any.
//!
//! That leaves guests, which write with the user's rights where they are granted a folder, should the cache be in one. They
//! cannot change a file's mode: WASI has no call for it. So an entry has a mode that no file is created with, and one that
//! has another was not put there by this program.

use std::fs::{self, DirBuilder, File, Metadata, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::Path;

/// The permissions of others to write: a group and everybody.
const OTHERS_WRITE: u32 = 0o022;
/// The mode of an entry: for its owner alone to read, and for nobody to write.
const SEALED: u32 = 0o400;

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

/// Makes the folder where there is none, for this user alone; the folders above it are made as they usually are.
pub(super) fn make_folder(path: &Path) -> io::Result<()> {
    let create = || DirBuilder::new().mode(0o700).create(path);
    let made = match create() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| create())
        }
        other => other,
    };
    match made {
        // Another process was quicker.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}

/// Gives a file that is about to become an entry the mode of one.
pub(super) fn seal(file: &File) -> io::Result<()> {
    file.set_permissions(Permissions::from_mode(SEALED))
}

/// Opens a file, where it is an ordinary one of this user's and [sealed](seal).
///
/// # Errors
/// [`ErrorKind::NotFound`] where there is none.
pub(super) fn open(path: &Path) -> io::Result<(File, Metadata)> {
    // Asked before it is opened, since to open a pipe waits for whoever writes to it.
    let named = fs::symlink_metadata(path)?;
    if !named.is_file() {
        return Err(io::Error::new(ErrorKind::InvalidData, "it is no ordinary file"));
    }
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    if (metadata.dev(), metadata.ino()) != (named.dev(), named.ino()) {
        return Err(io::Error::new(ErrorKind::InvalidData, "it was exchanged while it was opened"));
    }
    check_owner(&metadata)?;
    if metadata.mode() & 0o7777 != SEALED {
        return refused(format!("its mode is {:o}, not {SEALED:o}", metadata.mode() & 0o7777));
    }
    Ok((file, metadata))
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
