//! The process's standard input as a guest's.

use std::future::poll_fn;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use bytes::Bytes;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::io::AsyncRead;
use wasmtime_wasi::cli::{IsTerminal, StdinStream};
use wasmtime_wasi::p2::{InputStream, Pollable, StreamError, StreamResult};

/// The most bytes of one read without a thread.
const MAX_READ: usize = 64 << 10;

/// The process's standard input.
pub(super) struct InheritedStdin;

impl IsTerminal for InheritedStdin {
    fn is_terminal(&self) -> bool {
        io::stdin().is_terminal()
    }
}

impl StdinStream for InheritedStdin {
    fn async_stream(&self) -> Box<dyn AsyncRead + Send + Sync> {
        io::stdin().async_stream()
    }

    fn p2_stream(&self) -> Box<dyn InputStream> {
        Box::new(Reader { on_thread: io::stdin().p2_stream(), has_thread: None })
    }
}

/// Reads on the thread that wasmtime-wasi starts, or on the guest's own if the system has no other. The guest's own reads only
/// when there is input, so that the guest can be interrupted while it waits.
struct Reader {
    on_thread: Box<dyn InputStream>,
    has_thread: Option<bool>,
}

impl Reader {
    /// Starts the thread on the first call.
    fn has_thread(&mut self) -> bool {
        let Self { on_thread, has_thread } = self;
        // wasmtime-wasi panics if it cannot start the thread, and tries again the next time.
        let mut start = || _ = on_thread.ready().as_mut().poll(&mut Context::from_waker(Waker::noop()));
        *has_thread.get_or_insert_with(|| catch_unwind(AssertUnwindSafe(&mut start)).is_ok())
    }
}

/// Returns whether a read returns at once.
fn is_ready() -> bool {
    let stdin = io::stdin();
    let mut stdin = [PollFd::new(&stdin, PollFlags::IN)];
    // If this fails, the read returns the error.
    !matches!(poll(&mut stdin, Some(&Timespec::default())), Ok(0))
}

#[async_trait]
impl Pollable for Reader {
    async fn ready(&mut self) {
        if self.has_thread() {
            return self.on_thread.ready().await;
        }
        // Nothing wakes this: `Waiter` polls every few milliseconds.
        poll_fn(|_| if is_ready() { Poll::Ready(()) } else { Poll::Pending }).await;
    }
}

impl InputStream for Reader {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        if self.has_thread() {
            return self.on_thread.read(size);
        }
        if size == 0 || !is_ready() {
            return Ok(Bytes::new());
        }
        let mut bytes = vec![0; size.min(MAX_READ)];
        match rustix::io::read(io::stdin(), &mut bytes) {
            Ok(0) => Err(StreamError::Closed),
            Ok(read) => {
                bytes.truncate(read);
                Ok(bytes.into())
            }
            Err(error) => Err(StreamError::LastOperationFailed(io::Error::from(error).into())),
        }
    }
}
