//! The standard streams of a guest.

use std::future::Future;
use std::io::{self, ErrorKind, Read, SeekFrom, Write};
use std::os::fd::AsFd;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use virtual_fs::{AsyncRead, AsyncSeek, AsyncWrite, FsError, ReadBuf, VirtualFile};

use super::thread_group::ThreadGroup;
use crate::capabilities::{Captured, Input, Output};
use crate::error::{Error, Result};
use crate::stdio::{Blocking, input as stdin, record_stdout};

/// A file as WASIX takes it.
pub(super) type AnyFile = Box<dyn VirtualFile + Send + Sync>;

/// The number of bytes reported as ready if the actual number is unknown.
const READY: usize = 8192;

/// Creates standard input.
pub(super) fn input(input: &Input, thread_group: &Arc<ThreadGroup>) -> AnyFile {
    let source = match input {
        Input::Empty => Source::Bytes(io::Cursor::default()),
        Input::Bytes(bytes) => Source::Bytes(io::Cursor::new(bytes.clone())),
        Input::Inherit => Source::Stdin(Arc::clone(thread_group), Box::pin(Arc::clone(thread_group).ended())),
    };
    Box::new(Stream { number: 0, source, sink: Sink::None })
}

/// Creates standard output or error, by its number.
pub(super) fn output(output: &Output, number: u32, thread_group: &Arc<ThreadGroup>) -> Result<AnyFile> {
    let sink = match output {
        Output::Discard => Sink::Discard,
        Output::Inherit => Sink::Process(Arc::clone(thread_group)),
        Output::Stderr => Sink::Stderr,
        Output::Capture(captured) => {
            captured.claim()?;
            Sink::Captured(captured.clone())
        }
    };
    Ok(Box::new(Stream { number, source: Source::None, sink }))
}

/// A standard stream, with either a source or a sink.
#[derive(derive_more::Debug)]
#[debug("Stream({number})")]
struct Stream {
    number: u32,
    source: Source,
    sink: Sink,
}

enum Source {
    None,
    Bytes(io::Cursor<Vec<u8>>),
    /// The process's standard input. The future ends waits for it at the end of the program.
    Stdin(Arc<ThreadGroup>, Ended),
}

type Ended = Pin<Box<dyn Future<Output = ()> + Send + Sync>>;

enum Sink {
    None,
    Discard,
    /// The process's stream of the same number.
    Process(Arc<ThreadGroup>),
    Stderr,
    Captured(Captured),
}

impl Source {
    /// Returns whether a read returns at once; if not, wakes the task later.
    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            // WASIX takes this error to mean that the stream is not open for reading.
            Self::None => Poll::Ready(Err(ErrorKind::WouldBlock.into())),
            Self::Bytes(_) => Poll::Ready(Ok(())),
            Self::Stdin(thread_group, ended) => {
                if thread_group.has_ended() || ended.as_mut().poll(context).is_ready() {
                    return Poll::Ready(Err(ErrorKind::Interrupted.into()));
                }
                stdin::poll_ready(context)
            }
        }
    }

    /// Reads after `poll_ready` returned ready.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::None => Ok(0),
            Self::Bytes(bytes) => bytes.read(buffer),
            Self::Stdin(..) => stdin::read(buffer),
        }
    }
}

impl Sink {
    fn write(&self, number: u32, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::None => Err(ErrorKind::PermissionDenied.into()),
            Self::Discard => Ok(bytes.len()),
            Self::Process(thread_group) if number == 1 => {
                record_stdout(bytes);
                write_all(io::stdout(), bytes).inspect_err(|error| {
                    // As on WASI, a broken pipe makes the guest exit with 0.
                    if error.kind() == ErrorKind::BrokenPipe {
                        thread_group.end_with(Error::exited(0));
                    }
                })
            }
            Self::Process(_) | Self::Stderr => write_all(io::stderr(), bytes),
            Self::Captured(captured) => {
                captured.write(bytes);
                Ok(bytes.len())
            }
        }
    }
}

/// Writes all bytes, without a buffer.
fn write_all(stream: impl AsFd, bytes: &[u8]) -> io::Result<usize> {
    Blocking(stream).write_all(bytes)?;
    Ok(bytes.len())
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            ready!(self.source.poll_ready(context))?;
            match self.source.read(buffer.initialize_unfilled()) {
                // Another reader took the input.
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                read => return Poll::Ready(read.map(|read| buffer.advance(read))),
            }
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(self.sink.write(self.number, bytes).inspect_err(super::fs::keep_errno))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl AsyncSeek for Stream {
    fn start_seek(self: Pin<&mut Self>, _: SeekFrom) -> io::Result<()> {
        Err(ErrorKind::NotSeekable.into())
    }

    fn poll_complete(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<u64>> {
        Poll::Ready(Ok(0))
    }
}

impl VirtualFile for Stream {
    fn last_accessed(&self) -> u64 {
        0
    }

    fn last_modified(&self) -> u64 {
        0
    }

    fn created_time(&self) -> u64 {
        0
    }

    fn size(&self) -> u64 {
        0
    }

    fn set_times(&mut self, _: Option<u64>, _: Option<u64>) -> virtual_fs::Result<()> {
        Err(FsError::InvalidInput)
    }

    fn set_len(&mut self, _: u64) -> virtual_fs::Result<()> {
        Err(FsError::InvalidInput)
    }

    fn unlink(&mut self) -> virtual_fs::Result<()> {
        Err(FsError::InvalidInput)
    }

    fn get_special_fd(&self) -> Option<u32> {
        Some(self.number)
    }

    fn poll_read_ready(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        ready!(self.source.poll_ready(context))?;
        Poll::Ready(Ok(match &self.source {
            Source::Bytes(bytes) => bytes.get_ref().len() - usize::try_from(bytes.position()).unwrap_or_default(),
            _ => READY,
        }))
    }

    fn poll_write_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<usize>> {
        match self.sink {
            Sink::None => Poll::Ready(Err(ErrorKind::PermissionDenied.into())),
            _ => Poll::Ready(Ok(READY)),
        }
    }
}
