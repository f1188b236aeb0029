//! The streams of TCP sockets. A guest can keep them when it drops the socket, which then counts until they end.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_channel::oneshot;
use wasmtime::component::{Access, FutureConsumer, FutureReader, Linker, Resource, Source, StreamReader};
use wasmtime::{AsContextMut, Result, StoreContextMut};
use wasmtime_wasi::p3::bindings::sockets::types::{ErrorCode, HostTcpSocketWithStore};
use wasmtime_wasi::sockets::{TcpSocket, WasiSockets, WasiSocketsView as _};

use super::new_socket::is_open;
use super::relay::relay;
use crate::network::SocketClaim;
use crate::wasi::component::interface::{self, p3};
use crate::wasi::component::state::{ComponentWasi, HasWasi};

/// How a stream ended.
type End = std::result::Result<(), ErrorCode>;

/// Replaces the functions of a linked interface.
pub(super) fn replace<T: HasWasi>(linker: &mut Linker<T>) -> Result<()> {
    let [send, receive] = ["[method]tcp-socket.send", "[method]tcp-socket.receive"];
    let mut types = interface::replace(linker, p3!("wasi:sockets/types"), &[send, receive])?;
    types.func_wrap(send, |mut store, (socket, data): (Resource<TcpSocket>, StreamReader<u8>)| {
        let claim = claim(store.data_mut().wasi(), &socket);
        let data = relay(&mut store, data)?;
        let access = Access::new(store.as_context_mut(), |data: &mut T| data.wasi().sockets());
        let end = <WasiSockets as HostTcpSocketWithStore<T>>::send(access, socket, data)?;
        Ok((with_claim(store, end, claim)?,))
    })?;
    types.func_wrap(receive, |mut store, (socket,): (Resource<TcpSocket>,)| {
        let claim = claim(store.data_mut().wasi(), &socket);
        let access = Access::new(store.as_context_mut(), |data: &mut T| data.wasi().sockets());
        let (data, end) = <WasiSockets as HostTcpSocketWithStore<T>>::receive(access, socket)?;
        Ok(((data, with_claim(store, end, claim)?),))
    })
}

/// Returns the claim of a socket, if it is open.
fn claim(wasi: &mut ComponentWasi, socket: &Resource<TcpSocket>) -> Option<Arc<SocketClaim>> {
    let is_open = is_open(wasi, socket.rep());
    wasi.tcp().of(socket.rep(), is_open)
}

/// Returns a future of the same end, and keeps the claim until then.
fn with_claim(
    mut store: impl AsContextMut,
    end: FutureReader<End>,
    claim: Option<Arc<SocketClaim>>,
) -> Result<FutureReader<End>> {
    let Some(claim) = claim else { return Ok(end) };
    let (sender, receiver) = oneshot::channel();
    end.pipe(&mut store, Claimed(Some((sender, claim))))?;
    FutureReader::new(store, receiver)
}

/// Passes the end of a stream on.
struct Claimed(Option<(oneshot::Sender<End>, Arc<SocketClaim>)>);

impl<D> FutureConsumer<D> for Claimed {
    type Item = End;

    fn poll_consume(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        store: StoreContextMut<'_, D>,
        mut source: Source<'_, End>,
        _: bool,
    ) -> Poll<Result<()>> {
        let mut end = None;
        source.read(store, &mut end)?;
        if let (Some(end), Some((sender, claim))) = (end, self.0.take()) {
            drop(claim);
            // The guest may have dropped its future.
            let _ = sender.send(end);
        }
        Poll::Ready(Ok(()))
    }
}
