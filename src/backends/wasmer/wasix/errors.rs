//! What the host's file system answers, in the words of WASIX's.

use std::io::{self, ErrorKind};

use virtual_fs::FsError;

/// The error a guest is told for one of the host's.
pub(super) fn fs_error(error: io::Error) -> FsError {
    match error.kind() {
        ErrorKind::NotADirectory => FsError::BaseNotDirectory,
        ErrorKind::IsADirectory => FsError::NotAFile,
        ErrorKind::DirectoryNotEmpty => FsError::DirectoryNotEmpty,
        ErrorKind::InvalidFilename | ErrorKind::FileTooLarge => FsError::InvalidInput,
        // WASIX asks first for more than the guest wants, and for just that where it is told that this is not permitted.
        ErrorKind::ReadOnlyFilesystem | ErrorKind::ExecutableFileBusy | ErrorKind::ResourceBusy => {
            FsError::PermissionDenied
        }
        ErrorKind::CrossesDevices => FsError::Unsupported,
        // The one of which WASIX makes ENOSPC; of `StorageFull` it makes EOVERFLOW.
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => FsError::WriteZero,
        _ => FsError::from(error),
    }
}
