//! TCP sockets that are bound, but neither listening nor connected.

use std::net::SocketAddr;
use std::sync::Arc;

use virtual_net::{NetworkError, Result, VirtualTcpBoundSocket, VirtualTcpListener, VirtualTcpSocket};

use crate::network::{Firewall, Protocol};

/// A bound socket that listens and connects only as the rules allow.
#[derive(Debug)]
pub(super) struct BoundTcp {
    pub(super) socket: Box<dyn VirtualTcpBoundSocket + Sync>,
    pub(super) firewall: Arc<Firewall>,
    pub(super) may_listen: bool,
}

impl VirtualTcpBoundSocket for BoundTcp {
    fn addr_local(&self) -> Result<SocketAddr> {
        self.socket.addr_local()
    }

    fn listen(&mut self) -> Result<Box<dyn VirtualTcpListener + Sync>> {
        if self.may_listen { self.socket.listen() } else { Err(NetworkError::PermissionDenied) }
    }

    fn connect(&mut self, peer: SocketAddr) -> Result<Box<dyn VirtualTcpSocket + Sync>> {
        if self.firewall.allows_destination(Protocol::Tcp, peer) {
            self.socket.connect(peer)
        } else {
            Err(NetworkError::PermissionDenied)
        }
    }

    fn set_ttl(&mut self, ttl: u32) -> Result<()> {
        self.socket.set_ttl(ttl)
    }

    fn ttl(&self) -> Result<u32> {
        self.socket.ttl()
    }
}
