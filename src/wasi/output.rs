//! The outputs of a guest: standard output of the process, which reports a broken pipe, and captures.

use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};
use wiggle::error::Error;

use super::stdio::{MAX_BYTES, ProcessOutput};
use super::yielding::YieldingWriter;
use crate::capabilities::Captured;
use crate::error::Result;
use crate::stdio::record_stdout;

/// The reader of standard output has closed the pipe. The guest then exits, like a native program on SIGPIPE.
#[derive(Clone, Copy, Debug, derive_more::Display)]
#[display("standard output is a broken pipe")]
pub(super) struct BrokenPipe;

impl std::error::Error for BrokenPipe {}

/// The process's standard output.
#[derive(Clone, Copy)]
pub(super) struct InheritedStdout;

impl IsTerminal for InheritedStdout {
    fn is_terminal(&self) -> bool {
        ProcessOutput::Stdout.is_terminal()
    }
}

impl StdoutStream for InheritedStdout {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(YieldingWriter::new(*self))
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(TrapIfClosed(ProcessOutput::Stdout.p2_stream()))
    }
}

impl AsyncWrite for InheritedStdout {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = pin!(ProcessOutput::Stdout).poll_write(context, bytes);
        if let Poll::Ready(Ok(written)) = written {
            record_stdout(&bytes[..written]);
        }
        written
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// A stream that traps with [`BrokenPipe`] once it is closed, instead of returning an errno.
struct TrapIfClosed(Box<dyn OutputStream>);

fn trap_if_closed<T>(result: StreamResult<T>) -> StreamResult<T> {
    result.map_err(|error| match error {
        StreamError::Closed => StreamError::Trap(Error::new(BrokenPipe)),
        other => other,
    })
}

impl OutputStream for TrapIfClosed {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        record_stdout(&bytes);
        trap_if_closed(self.0.write(bytes))
    }

    fn flush(&mut self) -> StreamResult<()> {
        trap_if_closed(self.0.flush())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        trap_if_closed(self.0.check_write())
    }
}

#[async_trait]
impl Pollable for TrapIfClosed {
    async fn ready(&mut self) {
        self.0.ready().await;
    }
}

/// An output that is captured. Every write succeeds.
#[derive(Clone)]
pub(super) struct CapturedOutput(Captured);

impl CapturedOutput {
    /// Captures the output of one instance.
    ///
    /// # Errors
    /// Those of [`Captured::claim`].
    pub(super) fn new(captured: &Captured) -> Result<Self> {
        captured.claim()?;
        Ok(Self(captured.clone()))
    }

    /// Keeps nothing.
    pub(super) fn discard() -> Self {
        Self(Captured::with_max_bytes(0))
    }
}

impl IsTerminal for CapturedOutput {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for CapturedOutput {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(YieldingWriter::new(self.clone()))
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl OutputStream for CapturedOutput {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.0.write(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(MAX_BYTES)
    }
}

#[async_trait]
impl Pollable for CapturedOutput {
    async fn ready(&mut self) {}
}

impl AsyncWrite for CapturedOutput {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.0.write(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
