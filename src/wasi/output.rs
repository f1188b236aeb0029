//! The process's standard output as a guest's, with an error if the pipe breaks.

use std::io::Stdout;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};
use wiggle::error::Error;

/// The reader of standard output has closed the pipe. The guest then exits, like a native program on SIGPIPE.
#[derive(Clone, Copy, Debug, derive_more::Display)]
#[display("standard output is a broken pipe")]
pub(super) struct BrokenPipe;

impl std::error::Error for BrokenPipe {}

/// The process's standard output.
pub(super) struct InheritedStdout(pub(super) Stdout);

impl IsTerminal for InheritedStdout {
    fn is_terminal(&self) -> bool {
        self.0.is_terminal()
    }
}

impl StdoutStream for InheritedStdout {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        self.0.async_stream()
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(TrapIfClosed(self.0.p2_stream()))
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
