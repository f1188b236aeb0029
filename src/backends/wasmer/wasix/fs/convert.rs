//! Converts metadata and I/O errors for WASIX.

use std::cell::Cell;
use std::io::{self, ErrorKind};
use std::time::UNIX_EPOCH;

use cap_std::fs::{FileTypeExt, Metadata};
use cap_std::time::SystemTime;
use virtual_fs::{FileType, FsError};
use wasmer_wasix::wasmer_wasix_types::wasi::Errno;

use super::super::calls::number;

thread_local! {
    /// The errno of this thread's last error that [`FsError`] cannot represent.
    static EXACT: Cell<Option<Errno>> = const { Cell::new(None) };
}

/// Forgets the errno of the last error, before a call of the guest.
pub(in super::super) fn forget_errno() {
    EXACT.set(None);
}

/// Returns the host's errno if WASIX replaced it with a similar one, else `errno`, which the call returned.
pub(in super::super) fn exact_errno(errno: i32) -> i32 {
    match EXACT.take() {
        Some(exact) if errno != 0 => number(exact),
        _ => errno,
    }
}

/// Remembers the errno of an I/O error if WASIX would replace it.
pub(in super::super) fn keep_errno(error: &io::Error) {
    EXACT.set(match error.raw_os_error() {
        Some(libc::EACCES) => Some(Errno::Access),
        Some(libc::EDQUOT) => Some(Errno::Dquot),
        Some(libc::EFBIG) => Some(Errno::Fbig),
        Some(libc::EISDIR) => Some(Errno::Isdir),
        Some(libc::ELOOP) => Some(Errno::Loop),
        Some(libc::EMFILE) => Some(Errno::Mfile),
        Some(libc::ENAMETOOLONG) => Some(Errno::Nametoolong),
        Some(libc::ENFILE) => Some(Errno::Nfile),
        Some(libc::ENOSPC) => Some(Errno::Nospc),
        Some(libc::ENXIO) => Some(Errno::Nxio),
        Some(libc::EROFS) => Some(Errno::Rofs),
        Some(libc::ETXTBSY) => Some(Errno::Txtbsy),
        _ => None,
    });
}

/// Converts metadata for WASIX. If the host has no creation time, that is the modification time.
pub(super) fn metadata(metadata: &Metadata) -> virtual_fs::Metadata {
    let kind = metadata.file_type();
    virtual_fs::Metadata {
        ft: FileType {
            dir: kind.is_dir(),
            file: kind.is_file(),
            symlink: kind.is_symlink(),
            char_device: kind.is_char_device(),
            block_device: kind.is_block_device(),
            socket: kind.is_socket(),
            fifo: kind.is_fifo(),
        },
        accessed: nanoseconds(metadata.accessed()),
        created: nanoseconds(metadata.created().or_else(|_| metadata.modified())),
        modified: nanoseconds(metadata.modified()),
        len: metadata.len(),
    }
}

/// Returns the metadata of a directory that exists only in the guest's file system.
pub(super) fn virtual_dir() -> virtual_fs::Metadata {
    virtual_fs::Metadata { ft: FileType::new_dir(), ..virtual_fs::Metadata::default() }
}

/// Converts to nanoseconds since 1970; 0 if the time is unknown or earlier.
fn nanoseconds(time: io::Result<SystemTime>) -> u64 {
    let since = time.ok().and_then(|time| time.into_std().duration_since(UNIX_EPOCH).ok());
    since.and_then(|since| u64::try_from(since.as_nanos()).ok()).unwrap_or(0)
}

/// Converts an I/O error so that WASIX returns the errno of the host.
pub(super) fn fs_error(error: io::Error) -> FsError {
    keep_errno(&error);
    match error.kind() {
        ErrorKind::NotADirectory => FsError::BaseNotDirectory,
        ErrorKind::IsADirectory => FsError::NotAFile,
        ErrorKind::DirectoryNotEmpty => FsError::DirectoryNotEmpty,
        ErrorKind::InvalidFilename | ErrorKind::FileTooLarge => FsError::InvalidInput,
        // WASIX first opens files with more rights than the guest wants. After this error it tries again with fewer.
        ErrorKind::ReadOnlyFilesystem | ErrorKind::ExecutableFileBusy | ErrorKind::ResourceBusy => {
            FsError::PermissionDenied
        }
        ErrorKind::CrossesDevices => FsError::Unsupported,
        // WASIX converts `WriteZero` to ENOSPC, and `StorageFull` to EOVERFLOW.
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => FsError::WriteZero,
        _ => FsError::from(error),
    }
}
