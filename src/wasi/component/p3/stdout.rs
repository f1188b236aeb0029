//! `wasi:cli/stdout` of WASI 0.3, which ends the program if standard output is a broken pipe. wasmtime-wasi would return an error
//! to the guest.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_channel::oneshot;
use tokio::io::AsyncWrite;
use wasmtime::component::{Access, FutureReader, HasData, Source, StreamConsumer, StreamReader, StreamResult};
use wasmtime::{Error, Result, StoreContextMut};
use wasmtime_wasi::p3::bindings::cli::stdout::{Host, HostWithStore};
use wasmtime_wasi::p3::bindings::cli::types::ErrorCode;

use crate::wasi::component::state::ComponentWasi;
use crate::wasi::output::BrokenPipe;

/// The interface.
pub(super) struct Stdout;

impl HasData for Stdout {
    type Data<'a> = &'a mut ComponentWasi;
}

impl Host for ComponentWasi {}

impl<T> HostWithStore<T> for Stdout {
    fn write_via_stream(
        mut access: Access<'_, T, Self>,
        data: StreamReader<u8>,
    ) -> Result<FutureReader<Result<(), ErrorCode>>> {
        let (failed, failure) = oneshot::channel();
        let stdout = Box::into_pin(access.get().stdout().async_stream());
        data.pipe(&mut access, Writer { stdout, failed: Some(failed) })?;
        FutureReader::new(&mut access, async { Ok::<_, Error>(failure.await.map_or(Ok(()), Err)) })
    }
}

/// Writes a stream of the guest to standard output.
struct Writer {
    stdout: Pin<Box<dyn AsyncWrite + Send + Sync>>,
    failed: Option<oneshot::Sender<ErrorCode>>,
}

impl<D> StreamConsumer<D> for Writer {
    type Item = u8;

    fn poll_consume(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        store: StoreContextMut<'_, D>,
        source: Source<'_, u8>,
        finish: bool,
    ) -> Poll<Result<StreamResult>> {
        let mut source = source.as_direct(store);
        let bytes = source.remaining();
        if bytes.is_empty() {
            return Poll::Ready(Ok(StreamResult::Completed));
        }
        match self.stdout.as_mut().poll_write(context, bytes) {
            Poll::Ready(Ok(written)) => {
                source.mark_read(written);
                Poll::Ready(Ok(StreamResult::Completed))
            }
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
                Poll::Ready(Err(Error::new(BrokenPipe)))
            }
            Poll::Ready(Err(_)) => {
                // The guest may have dropped the other end.
                let _ = self.failed.take().map(|failed| failed.send(ErrorCode::Io));
                Poll::Ready(Ok(StreamResult::Dropped))
            }
            Poll::Pending if finish => Poll::Ready(Ok(StreamResult::Cancelled)),
            Poll::Pending => Poll::Pending,
        }
    }
}
