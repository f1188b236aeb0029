//! The process's standard output, and a guest whose reader has gone.

use std::fmt;
use std::io::{Stdout, stdout};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};
use wiggle::error::Error;

/// Nobody reads what the guest writes to standard output. It ends then, as a program of the system's does.
#[derive(Clone, Copy, Debug)]
pub(super) struct BrokenPipe;

impl fmt::Display for BrokenPipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nobody reads standard output any more")
    }
}

impl std::error::Error for BrokenPipe {}

/// The process's standard output.
pub(super) struct Inherited(Stdout);

impl Inherited {
    pub(super) fn new() -> Self {
        Self(stdout())
    }
}

impl IsTerminal for Inherited {
    fn is_terminal(&self) -> bool {
        self.0.is_terminal()
    }
}

impl StdoutStream for Inherited {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        self.0.async_stream()
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(Stream(self.0.p2_stream()))
    }
}

/// A stream whose end is a failure of its own, not an errno.
struct Stream(Box<dyn OutputStream>);

fn gone<T>(done: StreamResult<T>) -> StreamResult<T> {
    done.map_err(|error| match error {
        StreamError::Closed => StreamError::Trap(Error::new(BrokenPipe)),
        other => other,
    })
}

impl OutputStream for Stream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        gone(self.0.write(bytes))
    }

    fn flush(&mut self) -> StreamResult<()> {
        gone(self.0.flush())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        gone(self.0.check_write())
    }
}

#[async_trait]
impl Pollable for Stream {
    async fn ready(&mut self) {
        self.0.ready().await;
    }
}
