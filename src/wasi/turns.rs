//! Pauses in streams whose ends are both in the host. The engine copies between them without a guest that could be stopped.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::AsyncWrite;

/// The number of pieces that a stream delivers between two pauses.
const PIECES: u32 = 16;

/// Counts the pieces of one stream. Counts instead of measuring time, so that a guest sees the same in every run.
#[derive(Debug, Default)]
pub(super) struct Turns(u32);

impl Turns {
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

/// An output that takes turns.
pub(super) struct InTurns<W> {
    output: W,
    turns: Turns,
}

impl<W> InTurns<W> {
    pub(super) fn new(output: W) -> Self {
        Self { output, turns: Turns::default() }
    }
}

impl<W: AsyncWrite + Unpin> AsyncWrite for InTurns<W> {
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
