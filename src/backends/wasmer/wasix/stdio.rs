//! The standard streams of a guest.

use std::fmt;
use std::future::Future;
use std::io::{self, ErrorKind, Read, SeekFrom, Write};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use virtual_fs::{AsyncRead, AsyncSeek, AsyncWrite, FsError, ReadBuf, VirtualFile};

use super::stdin;
use super::thread_group::ThreadGroup;
use crate::capabilities::{Input, MAX_CAPTURED_BYTES, Output};
use crate::error::{Error, Result};

/// How WASIX takes a file.
pub(super) type AnyFile = Box<dyn VirtualFile + Send + Sync>;

/// What reads that may be had at once are said to have.
const SOME: usize = 8192;

/// Standard input.
pub(super) fn input(input: &Input, thread_group: &Arc<ThreadGroup>) -> AnyFile {
    let source = match input {
        Input::Empty => Source::Bytes(io::Cursor::default()),
        Input::Bytes(bytes) => Source::Bytes(io::Cursor::new(bytes.clone())),
        Input::Inherit => Source::Stdin(Arc::clone(thread_group), Box::pin(Arc::clone(thread_group).over())),
    };
    Box::new(Stream { number: 0, source, sink: Sink::None })
}

/// Standard output or error, by its number.
pub(super) fn output(output: &Output, number: u32, thread_group: &Arc<ThreadGroup>) -> Result<AnyFile> {
    let sink = match output {
        Output::Discard => Sink::Nowhere,
        Output::Inherit => Sink::Process(Arc::clone(thread_group)),
        Output::Capture(captured) => {
            let bytes = Arc::<Mutex<Vec<u8>>>::default();
            let kept = Arc::clone(&bytes);
            captured.read_from(move || kept.lock().unwrap_or_else(PoisonError::into_inner).clone())?;
            Sink::Captured(bytes)
        }
    };
    Ok(Box::new(Stream { number, source: Source::None, sink }))
}

/// A standard stream: it has a source or a sink.
struct Stream {
    number: u32,
    source: Source,
    sink: Sink,
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").field("number", &self.number).finish_non_exhaustive()
    }
}

enum Source {
    None,
    Bytes(io::Cursor<Vec<u8>>),
    /// The process's own, awaited no longer than the program lasts: until the future comes.
    Stdin(Arc<ThreadGroup>, Over),
}

type Over = Pin<Box<dyn Future<Output = ()> + Send + Sync>>;

enum Sink {
    None,
    Nowhere,
    /// The process's own.
    Process(Arc<ThreadGroup>),
    Captured(Arc<Mutex<Vec<u8>>>),
}

impl Source {
    /// Whether it can be read at once; where not, whoever asks is woken later.
    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            // By this, WASIX knows that a standard stream is not open for reading.
            Self::None => Poll::Ready(Err(ErrorKind::WouldBlock.into())),
            Self::Bytes(_) => Poll::Ready(Ok(())),
            Self::Stdin(thread_group, over) => {
                if thread_group.is_over() || over.as_mut().poll(context).is_ready() {
                    return Poll::Ready(Err(ErrorKind::Interrupted.into()));
                }
                stdin::poll_ready(context)
            }
        }
    }

    /// Reads what is there, once it is ready.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::None => Ok(0),
            Self::Bytes(left) => left.read(buffer),
            Self::Stdin(..) => stdin::read(buffer),
        }
    }
}

impl Sink {
    fn write(&self, number: u32, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::None => Err(ErrorKind::PermissionDenied.into()),
            Self::Nowhere => Ok(bytes.len()),
            Self::Process(thread_group) if number == 1 => write_out(io::stdout().lock(), bytes).inspect_err(|error| {
                // As on WASI: a program whose reader has gone ends, which is no failure.
                if error.kind() == ErrorKind::BrokenPipe {
                    thread_group.end_with(Error::exited(0));
                }
            }),
            Self::Process(_) => write_out(io::stderr().lock(), bytes),
            Self::Captured(kept) => {
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                let room = (MAX_CAPTURED_BYTES - kept.len()).min(bytes.len());
                if room == 0 && !bytes.is_empty() {
                    return Err(ErrorKind::BrokenPipe.into());
                }
                kept.extend_from_slice(&bytes[..room]);
                Ok(room)
            }
        }
    }
}

/// Writes through: whoever reads the other end sees it at once.
fn write_out(mut stream: impl Write, bytes: &[u8]) -> io::Result<usize> {
    stream.write_all(bytes)?;
    stream.flush()?;
    Ok(bytes.len())
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.source.poll_ready(context))?;
        let read = self.source.read(buffer.initialize_unfilled())?;
        buffer.advance(read);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(self.sink.write(self.number, bytes))
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
            Source::Bytes(left) => left.get_ref().len() - usize::try_from(left.position()).unwrap_or_default(),
            _ => SOME,
        }))
    }

    fn poll_write_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<usize>> {
        match self.sink {
            Sink::None => Poll::Ready(Err(ErrorKind::PermissionDenied.into())),
            _ => Poll::Ready(Ok(SOME)),
        }
    }
}
