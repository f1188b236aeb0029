//! Creates sockets of WASI 0.3, each with its own rules.

use wasmtime::Result;
use wasmtime::component::{Linker, Resource, ResourceType};
use wasmtime_wasi::p3::bindings::sockets::types::{ErrorCode, HostTcpSocket, HostUdpSocket, IpAddressFamily};
use wasmtime_wasi::p3::sockets::SocketError;
use wasmtime_wasi::sockets::{TcpSocket, UdpSocket, WasiSocketsView as _};

use crate::wasi::component::interface::{self, p3};
use crate::wasi::component::state::{ComponentWasi, HasWasi};

/// Replaces the functions of a linked interface.
pub(super) fn replace<T: HasWasi>(linker: &mut Linker<T>) -> Result<()> {
    let [socket, tcp, udp] = ["tcp-socket", "[static]tcp-socket.create", "[static]udp-socket.create"];
    let mut types = interface::replace(linker, p3!("wasi:sockets/types"), &[socket, tcp, udp])?;
    types.func_wrap(tcp, |mut store, (family,): (IpAddressFamily,)| {
        let wasi = store.data_mut().wasi();
        let Some((mut sockets, claim)) = wasi.new_socket() else { return Ok((Err(ErrorCode::OutOfMemory),)) };
        let created = result::<Resource<TcpSocket>>(HostTcpSocket::create(&mut sockets, family))?;
        if let Ok(socket) = &created {
            wasi.tcp().add(socket.rep(), claim);
        }
        Ok((created,))
    })?;
    types.resource(socket, ResourceType::host::<TcpSocket>(), |mut store, socket| {
        let wasi = store.data_mut().wasi();
        let was_open = is_open(wasi, socket);
        HostTcpSocket::drop(&mut wasi.sockets(), Resource::new_own(socket))?;
        wasi.tcp().release(socket, was_open);
        Ok(())
    })?;
    types.func_wrap_async(udp, |mut store, (family,): (IpAddressFamily,)| {
        Box::new(async move {
            let Some((mut sockets, _)) = store.data_mut().wasi().new_socket() else {
                return Ok((Err(ErrorCode::OutOfMemory),));
            };
            Ok((result::<Resource<UdpSocket>>(HostUdpSocket::create(&mut sockets, family).await)?,))
        })
    })
}

/// Returns whether a socket has a descriptor: an option can be read.
pub(super) fn is_open(wasi: &mut ComponentWasi, socket: u32) -> bool {
    HostTcpSocket::get_keep_alive_enabled(&mut wasi.sockets(), Resource::new_borrow(socket)).is_ok()
}

/// Returns an error of the interface as its result.
fn result<R>(created: std::result::Result<R, SocketError>) -> Result<std::result::Result<R, ErrorCode>> {
    created.map(Ok).or_else(|error| Ok(Err(error.downcast()?)))
}
