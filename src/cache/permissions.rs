//! Ownership and permissions of cache files: code is only run from a place that no other user can write to.
//!
//! A guest that is granted a directory with the cache in it writes with the user's own rights. But it cannot change a file's
//! mode, since WASI has no call for that. So entries are created with a mode that no guest can give a file under any umask, and
//! files with another mode are not used. Root ignores modes, so guests of root are refused those grants, unless root drops
//! `CAP_DAC_OVERRIDE` first.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::fs::OFlags;
#[cfg(target_os = "linux")]
use rustix::thread::{CapabilitySet, capabilities, set_capabilities};
use tempfile::{Builder, NamedTempFile};

/// The write permissions of the group and of everyone.
const OTHERS_WRITE: u32 = 0o022;
/// The mode of an entry: readable by its owner and executable, a bit that WASI never sets.
const ENTRY_MODE: u32 = 0o500;
/// The mode of other files in the folder.
const PRIVATE_MODE: u32 = 0o600;

/// Checks that the folder exists and that only this user can write to it.
///
/// # Errors
/// [`ErrorKind::NotFound`] if it does not exist.
pub(super) fn check_folder(path: &Path) -> io::Result<()> {
    let metadata = fs::metadata(path)?;
    if !metadata.is_dir() {
        return Err(io::Error::new(ErrorKind::NotADirectory, "not a directory"));
    }
    check_owner(&metadata)?;
    if metadata.mode() & OTHERS_WRITE != 0 {
        return refused(format!("other users can write to it (its mode is {:o})", metadata.mode() & 0o7777));
    }
    Ok(())
}

/// Creates the folder and its missing parents, for this user only (XDG base directory specification).
pub(super) fn create_folder(path: &Path) -> io::Result<()> {
    let created = DirBuilder::new().recursive(true).mode(0o700).create(path);
    created.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => {
            io::Error::new(ErrorKind::NotFound, "a symbolic link to a path that does not exist")
        }
        _ => error,
    })
}

/// Creates a temporary file for a new entry. It can be written to only through the returned handle.
pub(super) fn create_entry(folder: &Path, prefix: &str) -> io::Result<NamedTempFile> {
    let file = Builder::new().prefix(prefix).permissions(Permissions::from_mode(ENTRY_MODE)).tempfile_in(folder)?;
    // The umask may have removed some bits.
    file.as_file().set_permissions(Permissions::from_mode(ENTRY_MODE))?;
    check_mode(&file.as_file().metadata()?)?;
    Ok(file)
}

/// Opens an entry. It must be a regular file of this user with the mode of an entry.
///
/// # Errors
/// [`ErrorKind::NotFound`] if it does not exist.
pub(super) fn open_entry(path: &Path) -> io::Result<(File, Metadata)> {
    let (file, metadata) = open_regular(OpenOptions::new().read(true), path)?;
    check_mode(&metadata)?;
    Ok((file, metadata))
}

/// Opens a file for reading and appending, which must be a regular file of this user; creates it if `create` is set.
///
/// # Errors
/// [`ErrorKind::NotFound`] if it does not exist and is not created.
pub(super) fn open_private(path: &Path, create: bool) -> io::Result<File> {
    let (file, _) = open_regular(OpenOptions::new().read(true).append(true).create(create).mode(PRIVATE_MODE), path)?;
    Ok(file)
}

/// Returns whether this thread ignores file modes, as root does, so that its guests can write to entries in a granted folder.
#[cfg(target_os = "linux")]
pub(super) fn guests_ignore_modes() -> bool {
    match capabilities(None) {
        Ok(sets) => sets.effective.contains(CapabilitySet::DAC_OVERRIDE),
        Err(_) => rustix::process::geteuid().is_root(),
    }
}

/// Returns whether this thread ignores file modes: only root does on systems without Linux's capabilities.
#[cfg(not(target_os = "linux"))]
pub(super) fn guests_ignore_modes() -> bool {
    rustix::process::geteuid().is_root()
}

/// Makes this thread, and those it starts, obey modes.
#[cfg(target_os = "linux")]
pub(super) fn obey_modes() -> io::Result<()> {
    let mut sets = capabilities(None)?;
    for set in [&mut sets.effective, &mut sets.permitted, &mut sets.inheritable] {
        set.remove(CapabilitySet::DAC_OVERRIDE);
    }
    Ok(set_capabilities(None, sets)?)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn obey_modes() -> io::Result<()> {
    Err(ErrorKind::Unsupported.into())
}

/// Opens a regular file of this user, without following a link or waiting for the other end of a pipe.
fn open_regular(options: &mut OpenOptions, path: &Path) -> io::Result<(File, Metadata)> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits();
    let file = options.custom_flags(flags.cast_signed()).open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::new(ErrorKind::InvalidData, "not a regular file"));
    }
    check_owner(&metadata)?;
    Ok((file, metadata))
}

fn check_mode(metadata: &Metadata) -> io::Result<()> {
    let mode = metadata.mode() & 0o7777;
    if mode == ENTRY_MODE { Ok(()) } else { refused(format!("its mode is {mode:o}, not {ENTRY_MODE:o}")) }
}

fn check_owner(metadata: &Metadata) -> io::Result<()> {
    let user = rustix::process::geteuid().as_raw();
    if metadata.uid() == user {
        return Ok(());
    }
    refused(format!("it belongs to another user (uid {}, not {user})", metadata.uid()))
}

fn refused<T>(why: String) -> io::Result<T> {
    Err(io::Error::new(ErrorKind::PermissionDenied, why))
}
