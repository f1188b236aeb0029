//! Standard input, output and error of the process as streams of a guest.

use std::future::poll_fn;
use std::io::{self, Write};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use wasmtime_wasi::cli::{IsTerminal, StdinStream, StdoutStream};
use wasmtime_wasi::p2::{InputStream, OutputStream, Pollable, StreamError, StreamResult};

use super::yielding::YieldingWriter;
use crate::stdio::{Blocking, input};

/// The maximum number of bytes of one read, which allocates a buffer of this size, and of one write.
pub(super) const MAX_BYTES: usize = 64 << 10;

fn stream_error(error: io::Error) -> StreamError {
    match error.kind() {
        io::ErrorKind::BrokenPipe => StreamError::Closed,
        _ => StreamError::LastOperationFailed(error.into()),
    }
}

/// Standard input, without reading ahead.
#[derive(Clone, Copy)]
pub(super) struct ProcessInput;

impl IsTerminal for ProcessInput {
    fn is_terminal(&self) -> bool {
        io::stdin().is_terminal()
    }
}

impl StdinStream for ProcessInput {
    fn async_stream(&self) -> Box<dyn AsyncRead + Send + Sync> {
        Box::new(*self)
    }

    fn p2_stream(&self) -> Box<dyn InputStream> {
        Box::new(*self)
    }
}

impl InputStream for ProcessInput {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        if size == 0 {
            return Ok(Bytes::new());
        }
        let mut bytes = vec![0; size.min(MAX_BYTES)];
        match input::read(&mut bytes) {
            Ok(0) => Err(StreamError::Closed),
            Ok(read) => {
                bytes.truncate(read);
                Ok(bytes.into())
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Bytes::new()),
            Err(error) => Err(stream_error(error)),
        }
    }
}

impl AsyncRead for ProcessInput {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        ready!(input::poll_ready(context))?;
        let size = buffer.remaining().min(MAX_BYTES);
        match input::read(&mut buffer.initialize_unfilled()[..size]) {
            Ok(read) => {
                buffer.advance(read);
                Poll::Ready(Ok(()))
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                // Another guest has read the input, or reads it.
                input::wake_after_read(context);
                Poll::Pending
            }
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}

#[async_trait]
impl Pollable for ProcessInput {
    async fn ready(&mut self) {
        // Without a thread, nothing wakes this: `Waiter` polls every few milliseconds.
        poll_fn(|context| {
            if matches!(input::poll_ready(context), Poll::Ready(Ok(()))) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

/// Standard output or error.
#[derive(Clone, Copy)]
pub(super) enum ProcessOutput {
    Stdout,
    Stderr,
}

impl IsTerminal for ProcessOutput {
    fn is_terminal(&self) -> bool {
        match self {
            Self::Stdout => io::stdout().is_terminal(),
            Self::Stderr => io::stderr().is_terminal(),
        }
    }
}

impl StdoutStream for ProcessOutput {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(YieldingWriter::new(*self))
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(*self)
    }
}

impl OutputStream for ProcessOutput {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        match self {
            Self::Stdout => Blocking(io::stdout()).write_all(&bytes),
            Self::Stderr => Blocking(io::stderr()).write_all(&bytes),
        }
        .map_err(stream_error)
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(MAX_BYTES)
    }
}

#[async_trait]
impl Pollable for ProcessOutput {
    async fn ready(&mut self) {}
}

// Writes wait on the guest's own thread, which waits for them anyway.
impl AsyncWrite for ProcessOutput {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let bytes = &bytes[..bytes.len().min(MAX_BYTES)];
        Poll::Ready(match *self {
            Self::Stdout => Blocking(io::stdout()).write(bytes),
            Self::Stderr => Blocking(io::stderr()).write(bytes),
        })
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
