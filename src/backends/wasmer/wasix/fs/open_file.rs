//! An open file.

use std::fs::{File, FileTimes};
use std::io::{self, ErrorKind, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, UNIX_EPOCH};

use virtual_fs::{
    AsyncRead, AsyncSeek, AsyncWrite, FsError, Metadata, OpenOptionsConfig, ReadBuf, Result as FsResult, VirtualFile,
};

use super::convert::{self, fs_error, keep_errno};
use super::granted_fs::{GrantedFs, record_read};
use super::sync::is_syncing;
use crate::capabilities::Access;

/// The number of bytes reported as writable. WASIX only checks that it is not zero.
const WRITABLE: usize = 8192;

/// An open file of a granted directory. I/O blocks the polling thread, which is the guest's and waits for it anyway.
#[derive(Debug)]
pub(super) struct OpenFile {
    file: File,
    position: u64,
    conf: OpenOptionsConfig,
    access: Access,
    fs: GrantedFs,
    id: u64,
}

impl OpenFile {
    /// Wraps a file that was opened with `conf` from a directory with this access, and has this ID in `fs`.
    pub(super) fn new(file: File, conf: OpenOptionsConfig, access: Access, fs: GrantedFs, id: u64) -> Self {
        Self { file, position: 0, conf, access, fs, id }
    }

    /// Checks that the file was opened for writing, which a read-only directory refuses.
    ///
    /// # Errors
    /// [`ErrorKind::PermissionDenied`] if it was not.
    fn check_writable(&self) -> io::Result<()> {
        if self.conf.write || self.conf.append { Ok(()) } else { Err(ErrorKind::PermissionDenied.into()) }
    }

    fn metadata(&self) -> Metadata {
        record_read(&self.fs, || self.fs.paths().get(self.id).map(Path::to_owned));
        let metadata = cap_std::fs::Metadata::from_file(&self.file);
        metadata.map(|metadata| convert::metadata(&metadata)).unwrap_or_default()
    }

    fn read(&mut self, buffer: &mut ReadBuf<'_>) -> io::Result<()> {
        if !self.conf.read {
            return Err(ErrorKind::PermissionDenied.into());
        }
        let read = self.file.read_at(buffer.initialize_unfilled(), self.position).inspect_err(keep_errno)?;
        buffer.advance(read);
        self.position += read as u64;
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.check_writable()?;
        if self.conf.append {
            let written = self.file.write(bytes).inspect_err(keep_errno)?;
            self.position = self.file.stream_position()?;
            return Ok(written);
        }
        let written = self.file.write_at(bytes, self.position).inspect_err(keep_errno)?;
        self.position += written as u64;
        Ok(written)
    }

    fn seek(&mut self, to: SeekFrom) -> io::Result<()> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
            SeekFrom::End(by) => self.file.metadata()?.len().checked_add_signed(by),
        };
        // The host's offsets are signed.
        let position = position.filter(|position| i64::try_from(*position).is_ok());
        self.position = position.ok_or(ErrorKind::InvalidInput)?;
        Ok(())
    }
}

impl VirtualFile for OpenFile {
    fn last_accessed(&self) -> u64 {
        self.metadata().accessed
    }

    fn last_modified(&self) -> u64 {
        self.metadata().modified
    }

    fn created_time(&self) -> u64 {
        self.metadata().created
    }

    fn set_times(&mut self, accessed: Option<u64>, modified: Option<u64>) -> FsResult<()> {
        if self.access == Access::ReadOnly {
            return Err(FsError::PermissionDenied);
        }
        let time = |nanoseconds| UNIX_EPOCH + Duration::from_nanos(nanoseconds);
        let times = FileTimes::new();
        let times = accessed.map_or(times, |accessed| times.set_accessed(time(accessed)));
        let times = modified.map_or(times, |modified| times.set_modified(time(modified)));
        self.file.set_times(times).map_err(fs_error)
    }

    fn size(&self) -> u64 {
        self.metadata().len
    }

    fn set_len(&mut self, new_size: u64) -> FsResult<()> {
        self.check_writable().and_then(|()| self.file.set_len(new_size)).map_err(fs_error)
    }

    fn unlink(&mut self) -> FsResult<()> {
        self.fs.unlink(self.id)
    }

    /// Always ready. Reports at least 1 byte, since WASIX takes 0 for a closed pipe.
    fn poll_read_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let remaining = self.size().saturating_sub(self.position);
        Poll::Ready(Ok(usize::try_from(remaining).unwrap_or(usize::MAX).max(1)))
    }

    fn poll_write_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(WRITABLE))
    }
}

impl AsyncRead for OpenFile {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.get_mut().read(buffer))
    }
}

impl AsyncWrite for OpenFile {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(self.get_mut().write(bytes))
    }

    /// Waits for the disk if the guest asked for it. WASIX also flushes every file that it closes; writes are not buffered.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(if is_syncing() { self.file.sync_all().inspect_err(keep_errno) } else { Ok(()) })
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl AsyncSeek for OpenFile {
    fn start_seek(self: Pin<&mut Self>, to: SeekFrom) -> io::Result<()> {
        self.get_mut().seek(to)
    }

    fn poll_complete(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<u64>> {
        Poll::Ready(Ok(self.position))
    }
}

impl Drop for OpenFile {
    fn drop(&mut self) {
        self.fs.paths().remove(self.id);
    }
}
