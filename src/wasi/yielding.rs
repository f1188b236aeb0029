//! Streams that yield to the executor from time to time. If both ends of a stream are in the host, the engine copies without running
//! guest code, so only the executor can stop the copy.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::AsyncWrite;

/// The number of pieces that a stream delivers before it yields.
const PIECES: u32 = 16;

/// Counts the pieces of one stream. Counts instead of measuring time, so that a guest sees the same in every run.
#[derive(Debug, Default)]
pub(super) struct YieldCounter(u32);

impl YieldCounter {
    /// Returns ready if the stream may deliver another piece. Otherwise wakes the task, whose
    /// executor first checks whether the guest should stop or pause.
    pub(super) fn poll_next(&mut self, context: &Context<'_>) -> Poll<()> {
        if self.0 == PIECES {
            self.0 = 0;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.0 += 1;
        Poll::Ready(())
    }
}

/// An output that yields.
pub(super) struct YieldingWriter<W> {
    output: W,
    turns: YieldCounter,
}

impl<W> YieldingWriter<W> {
    pub(super) fn new(output: W) -> Self {
        Self { output, turns: YieldCounter::default() }
    }
}

impl<W: AsyncWrite + Unpin> AsyncWrite for YieldingWriter<W> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.turns.poll_next(context));
        Pin::new(&mut self.output).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.output).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.output).poll_shutdown(context)
    }
}
