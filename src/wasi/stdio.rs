//! Standard input, output and error of the process as streams of a guest.

use std::future::poll_fn;
use std::io::{self, Write};
use std::task::Poll;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};
use wasmtime_wasi::cli::{IsTerminal, StdinStream, StdoutStream};
use wasmtime_wasi::p2::{InputStream, OutputStream, Pollable, StreamError, StreamResult};

use crate::stdio::{Blocking, input};

/// The maximum number of bytes of one read, which allocates a buffer of this size, and of one write.
const MAX_BYTES: usize = 64 << 10;

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
    // Preview 1 does not use it.
    fn async_stream(&self) -> Box<dyn AsyncRead + Send + Sync> {
        io::stdin().async_stream()
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
    // Preview 1 does not use it.
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        match self {
            Self::Stdout => io::stdout().async_stream(),
            Self::Stderr => io::stderr().async_stream(),
        }
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
