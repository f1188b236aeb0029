//! Streams to files and TCP sockets, which wasmtime-wasi takes as fast as they come. If they come from the host, no guest code
//! runs that could be stopped.

use std::mem;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::BytesMut;
use wasmtime::component::{
    Access, Destination, Linker, Resource, Source, StreamConsumer, StreamProducer, StreamReader, StreamResult,
};
use wasmtime::{AsContextMut, Result, StoreContextMut};
use wasmtime_wasi::filesystem::{Descriptor, WasiFilesystem, WasiFilesystemView as _};
use wasmtime_wasi::p3::bindings::filesystem::types::HostDescriptorWithStore;

use crate::wasi::component::interface::{p3, replace};
use crate::wasi::component::state::HasWasi;
use crate::wasi::yielding::YieldCounter;

/// The maximum number of bytes of a piece.
const PIECE: usize = 64 << 10;

/// Corrects the functions of `wasi:filesystem/types`.
pub(super) fn correct_files<T: HasWasi>(linker: &mut Linker<T>) -> Result<()> {
    let [write, append] = ["[method]descriptor.write-via-stream", "[method]descriptor.append-via-stream"];
    let mut types = replace(linker, p3!("wasi:filesystem/types"), &[write, append])?;
    types.func_wrap(write, |mut store, (file, data, position): (Resource<Descriptor>, StreamReader<u8>, u64)| {
        let data = relay(&mut store, data)?;
        let access = Access::new(store, |data: &mut T| data.wasi().filesystem());
        Ok((<WasiFilesystem as HostDescriptorWithStore<T>>::write_via_stream(access, file, data, position)?,))
    })?;
    types.func_wrap(append, |mut store, (file, data): (Resource<Descriptor>, StreamReader<u8>)| {
        let data = relay(&mut store, data)?;
        let access = Access::new(store, |data: &mut T| data.wasi().filesystem());
        Ok((<WasiFilesystem as HostDescriptorWithStore<T>>::append_via_stream(access, file, data)?,))
    })
}

/// Returns a stream of the same bytes, in pieces, that pauses from time to time. A write to it ends after the piece was taken.
pub(super) fn relay(mut store: impl AsContextMut, data: StreamReader<u8>) -> Result<StreamReader<u8>> {
    let slot = Arc::<Mutex<Slot>>::default();
    data.pipe(&mut store, RelayInput { slot: Arc::clone(&slot), waits: false })?;
    StreamReader::new(store, RelayOutput { slot, turns: YieldCounter::default() })
}

/// The piece between the ends of a relay.
#[derive(Default)]
struct Slot {
    bytes: BytesMut,
    /// Whether a piece was put in that the reader has not taken to the end.
    is_full: bool,
    writer_is_gone: bool,
    reader_is_gone: bool,
    writer: Option<Waker>,
    reader: Option<Waker>,
}

fn lock(slot: &Mutex<Slot>) -> MutexGuard<'_, Slot> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}

fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}

/// The result while a stream waits; `finish` asks it not to.
fn pending(finish: bool) -> Poll<Result<StreamResult>> {
    if finish { Poll::Ready(Ok(StreamResult::Cancelled)) } else { Poll::Pending }
}

/// Takes the bytes of the stream.
struct RelayInput {
    slot: Arc<Mutex<Slot>>,
    /// Whether a write waits until its piece was taken.
    waits: bool,
}

impl<D> StreamConsumer<D> for RelayInput {
    type Item = u8;

    fn poll_consume(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        store: StoreContextMut<'_, D>,
        source: Source<'_, u8>,
        finish: bool,
    ) -> Poll<Result<StreamResult>> {
        let input = &mut *self;
        let mut slot = lock(&input.slot);
        if slot.reader_is_gone {
            return Poll::Ready(Ok(StreamResult::Dropped));
        }
        if input.waits && (finish || !slot.is_full) {
            input.waits = false;
            return Poll::Ready(Ok(StreamResult::Completed));
        }
        if slot.is_full {
            slot.writer = Some(context.waker().clone());
            return pending(finish);
        }
        let mut source = source.as_direct(store);
        let bytes = source.remaining();
        if bytes.is_empty() {
            return Poll::Ready(Ok(StreamResult::Completed));
        }
        let size = bytes.len().min(PIECE);
        slot.bytes.extend_from_slice(&bytes[..size]);
        slot.is_full = true;
        source.mark_read(size);
        wake(&mut slot.reader);
        input.waits = true;
        slot.writer = Some(context.waker().clone());
        Poll::Pending
    }
}

impl Drop for RelayInput {
    fn drop(&mut self) {
        let mut slot = lock(&self.slot);
        slot.writer_is_gone = true;
        wake(&mut slot.reader);
    }
}

/// Delivers the bytes.
struct RelayOutput {
    slot: Arc<Mutex<Slot>>,
    turns: YieldCounter,
}

impl<D> StreamProducer<D> for RelayOutput {
    type Item = u8;
    type Buffer = BytesMut;

    fn poll_produce<'a>(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        _: StoreContextMut<'a, D>,
        mut destination: Destination<'a, u8, BytesMut>,
        finish: bool,
    ) -> Poll<Result<StreamResult>> {
        let output = &mut *self;
        let mut slot = lock(&output.slot);
        if slot.bytes.is_empty() {
            // The engine asks for more once the other end has taken all.
            slot.is_full = false;
            wake(&mut slot.writer);
            if slot.writer_is_gone {
                return Poll::Ready(Ok(StreamResult::Dropped));
            }
            slot.reader = Some(context.waker().clone());
            return pending(finish);
        }
        if output.turns.poll_next(context).is_pending() {
            return pending(finish);
        }
        destination.set_buffer(mem::take(&mut slot.bytes));
        Poll::Ready(Ok(StreamResult::Completed))
    }
}

impl Drop for RelayOutput {
    fn drop(&mut self) {
        let mut slot = lock(&self.slot);
        slot.reader_is_gone = true;
        wake(&mut slot.writer);
    }
}
