//! Converts the host's I/O errors.

use std::io::{self, ErrorKind};

use virtual_fs::FsError;

/// Converts an I/O error so that WASIX returns the errno of the host.
pub(super) fn fs_error(error: io::Error) -> FsError {
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
