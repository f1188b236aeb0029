//! UDP sockets that check the source and destination of each datagram against the rules.

use std::mem::MaybeUninit;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::task::{Context, Poll};

use virtual_net::{
    InterestHandler, NetworkError, Result, SocketStatus, VirtualConnectionlessSocket, VirtualIoSource, VirtualSocket,
    VirtualUdpSocket,
};

use crate::network::UdpRules;

const DENIED: NetworkError = NetworkError::PermissionDenied;

/// A UDP socket behind a firewall.
#[derive(Debug)]
pub(super) struct GuardedUdp {
    socket: Box<dyn VirtualUdpSocket + Sync>,
    rules: UdpRules,
}

impl GuardedUdp {
    pub(super) fn new(socket: Box<dyn VirtualUdpSocket + Sync>, rules: UdpRules) -> Self {
        Self { socket, rules }
    }

    /// Discards datagrams until the next is one that the guest may receive.
    fn discard_denied(&mut self) -> Result<()> {
        loop {
            let (_, source) = self.socket.try_recv_from(&mut [], true)?;
            if self.rules.may_receive(source) {
                return Ok(());
            }
            self.socket.try_recv_from(&mut [], false)?;
        }
    }
}

impl VirtualConnectionlessSocket for GuardedUdp {
    fn try_send_to(&mut self, data: &[u8], addr: SocketAddr) -> Result<usize> {
        if self.rules.may_send(addr) { self.socket.try_send_to(data, addr) } else { Err(DENIED) }
    }

    fn try_recv_from(&mut self, buf: &mut [MaybeUninit<u8>], peek: bool) -> Result<(usize, SocketAddr)> {
        self.discard_denied()?;
        let (length, source) = self.socket.try_recv_from(buf, peek)?;
        self.rules.add_peer(source);
        Ok((length, source))
    }
}

impl VirtualIoSource for GuardedUdp {
    fn remove_handler(&mut self) {
        self.socket.remove_handler();
    }

    fn poll_read_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<usize>> {
        loop {
            match self.socket.poll_read_ready(cx) {
                Poll::Ready(Ok(_)) if self.discard_denied() == Err(NetworkError::WouldBlock) => {}
                polled => return polled,
            }
        }
    }

    fn poll_write_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<usize>> {
        self.socket.poll_write_ready(cx)
    }
}

impl VirtualSocket for GuardedUdp {
    fn set_ttl(&mut self, ttl: u32) -> Result<()> {
        self.socket.set_ttl(ttl)
    }

    fn ttl(&self) -> Result<u32> {
        self.socket.ttl()
    }

    fn addr_local(&self) -> Result<SocketAddr> {
        self.socket.addr_local()
    }

    fn status(&self) -> Result<SocketStatus> {
        self.socket.status()
    }

    fn last_error(&self) -> Result<Option<NetworkError>> {
        self.socket.last_error()
    }

    fn set_handler(&mut self, handler: Box<dyn InterestHandler + Send + Sync>) -> Result<()> {
        self.socket.set_handler(handler)
    }
}

/// Defines methods that fail.
macro_rules! denied {
    ($($name:ident($($arg:ty),*);)*) => { $(
        fn $name(&mut self, $(_: $arg),*) -> Result<()> {
            Err(DENIED)
        }
    )* };
}

/// No rule allows broadcast or multicast.
impl VirtualUdpSocket for GuardedUdp {
    fn set_broadcast(&mut self, broadcast: bool) -> Result<()> {
        if broadcast { Err(DENIED) } else { Ok(()) }
    }

    fn broadcast(&self) -> Result<bool> {
        Ok(false)
    }

    fn multicast_loop_v4(&self) -> Result<bool> {
        Err(DENIED)
    }

    fn multicast_loop_v6(&self) -> Result<bool> {
        Err(DENIED)
    }

    fn multicast_ttl_v4(&self) -> Result<u32> {
        Err(DENIED)
    }

    denied! {
        set_multicast_loop_v4(bool);
        set_multicast_loop_v6(bool);
        set_multicast_ttl_v4(u32);
        join_multicast_v4(Ipv4Addr, Ipv4Addr);
        leave_multicast_v4(Ipv4Addr, Ipv4Addr);
        join_multicast_v6(Ipv6Addr, u32);
        leave_multicast_v6(Ipv6Addr, u32);
    }

    fn addr_peer(&self) -> Result<Option<SocketAddr>> {
        self.socket.addr_peer()
    }
}
