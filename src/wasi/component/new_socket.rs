//! Creates sockets of WASI 0.2, each with its own rules. Streams of a socket are dropped before it.

use wasmtime::component::{HasData, Linker, Resource, ResourceType};
use wasmtime::{Error, Result};
use wasmtime_wasi::p2::bindings::sockets::network::{ErrorCode, IpAddressFamily};
use wasmtime_wasi::p2::bindings::sockets::{network, tcp, tcp_create_socket, udp_create_socket};
use wasmtime_wasi::p2::{Network, SocketError, SocketResult, TcpSocket, UdpSocket};
use wasmtime_wasi::sockets::WasiSocketsView as _;

use super::interface::{p2, replace};
use super::state::{ComponentWasi, HasWasi};

/// The interfaces that create sockets.
pub(super) struct NewSocket;

impl HasData for NewSocket {
    type Data<'a> = &'a mut ComponentWasi;
}

impl network::Host for ComponentWasi {
    fn convert_error_code(&mut self, error: SocketError) -> Result<ErrorCode> {
        error.downcast()
    }

    fn network_error_code(&mut self, error: Resource<Error>) -> Result<Option<ErrorCode>> {
        network::Host::network_error_code(&mut self.sockets(), error)
    }
}

impl network::HostNetwork for ComponentWasi {
    fn drop(&mut self, network: Resource<Network>) -> Result<()> {
        network::HostNetwork::drop(&mut self.sockets(), network)
    }
}

impl tcp_create_socket::Host for ComponentWasi {
    fn create_tcp_socket(&mut self, family: IpAddressFamily) -> SocketResult<Resource<TcpSocket>> {
        let (mut sockets, claim) = self.new_socket().ok_or(ErrorCode::NewSocketLimit)?;
        let socket = tcp_create_socket::Host::create_tcp_socket(&mut sockets, family)?;
        self.tcp().add(socket.rep(), claim);
        Ok(socket)
    }
}

impl udp_create_socket::Host for ComponentWasi {
    async fn create_udp_socket(&mut self, family: IpAddressFamily) -> SocketResult<Resource<UdpSocket>> {
        let (mut sockets, _) = self.new_socket().ok_or(ErrorCode::NewSocketLimit)?;
        udp_create_socket::Host::create_udp_socket(&mut sockets, family).await
    }
}

/// Replaces how TCP sockets of a linked interface are dropped, so that they no longer count.
pub(super) fn count_drops<T: HasWasi>(linker: &mut Linker<T>) -> Result<()> {
    let socket = "tcp-socket";
    let mut interface = replace(linker, p2!("wasi:sockets/tcp"), &[socket])?;
    interface.resource(socket, ResourceType::host::<TcpSocket>(), |mut store, socket| {
        let wasi = store.data_mut().wasi();
        tcp::HostTcpSocket::drop(&mut wasi.sockets(), Resource::new_own(socket))?;
        wasi.tcp().release(socket, true);
        Ok(())
    })
}
