//! Metadata of files and directories.

use std::io;
use std::time::UNIX_EPOCH;

use cap_std::fs::{FileTypeExt, Metadata};
use cap_std::time::SystemTime;
use virtual_fs::FileType;

/// Converts metadata for WASIX. If the host has no creation time, that is the modification time.
pub(super) fn convert(metadata: &Metadata) -> virtual_fs::Metadata {
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
