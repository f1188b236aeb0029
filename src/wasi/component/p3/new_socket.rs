//! Creates sockets of WASI 0.3, each with its own rules.

use wasmtime::Result;
use wasmtime::component::{Linker, Resource};
use wasmtime_wasi::p3::bindings::sockets::types::{ErrorCode, HostTcpSocket, HostUdpSocket, IpAddressFamily};
use wasmtime_wasi::p3::sockets::SocketError;
use wasmtime_wasi::sockets::{TcpSocket, UdpSocket};

use crate::wasi::component::interface::{self, p3};
use crate::wasi::component::state::HasWasi;

/// Replaces the functions of a linked interface.
pub(super) fn replace<T: HasWasi>(linker: &mut Linker<T>) -> Result<()> {
    let [tcp, udp] = ["[static]tcp-socket.create", "[static]udp-socket.create"];
    let mut types = interface::replace(linker, p3!("wasi:sockets/types"), &[tcp, udp])?;
    types.func_wrap(tcp, |mut store, (family,): (IpAddressFamily,)| {
        let Some(mut sockets) = store.data_mut().wasi().new_socket() else { return Ok((Err(ErrorCode::OutOfMemory),)) };
        Ok((result::<Resource<TcpSocket>>(HostTcpSocket::create(&mut sockets, family))?,))
    })?;
    types.func_wrap_async(udp, |mut store, (family,): (IpAddressFamily,)| {
        Box::new(async move {
            let Some(mut sockets) = store.data_mut().wasi().new_socket() else {
                return Ok((Err(ErrorCode::OutOfMemory),));
            };
            Ok((result::<Resource<UdpSocket>>(HostUdpSocket::create(&mut sockets, family).await)?,))
        })
    })
}

/// Returns an error of the interface as its result.
fn result<R>(created: std::result::Result<R, SocketError>) -> Result<std::result::Result<R, ErrorCode>> {
    created.map(Ok).or_else(|error| Ok(Err(error.downcast()?)))
}
