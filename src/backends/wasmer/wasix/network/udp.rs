//! UDP sockets that check the source and destination of each datagram against the rules.

use std::collections::VecDeque;
use std::mem::MaybeUninit;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::task::{Context, Poll};

use virtual_net::{
    InterestHandler, NetworkError, Result, SocketStatus, VirtualConnectionlessSocket, VirtualIoSource, VirtualSocket,
    VirtualUdpSocket,
};

use super::firewall::Firewall;
use crate::network::Protocol;

/// The most peers that a socket may answer because it received from them; the oldest are dropped.
const MAX_PEERS: usize = 1024;

const DENIED: NetworkError = NetworkError::PermissionDenied;

/// A UDP socket behind a firewall.
#[derive(Debug)]
pub(super) struct GuardedUdp {
    socket: Box<dyn VirtualUdpSocket + Sync>,
    firewall: Arc<Firewall>,
    /// Whether a rule lets the guest receive from any IPv4 address.
    any_v4: bool,
    /// Whether a rule lets the guest receive from any IPv6 address.
    any_v6: bool,
    /// Senders that no rule allows as destinations, but that the guest may answer.
    peers: VecDeque<(IpAddr, u16)>,
}

impl GuardedUdp {
    pub(super) fn new(
        socket: Box<dyn VirtualUdpSocket + Sync>,
        firewall: Arc<Firewall>,
        any_v4: bool,
        any_v6: bool,
    ) -> Self {
        Self { socket, firewall, any_v4, any_v6, peers: VecDeque::new() }
    }

    fn allows_destination(&self, to: SocketAddr) -> bool {
        self.firewall.allows_destination(Protocol::Udp, to)
    }

    fn may_receive(&self, source: SocketAddr) -> bool {
        let from_any = if source.ip().to_canonical().is_ipv4() { self.any_v4 } else { self.any_v6 };
        from_any || self.allows_destination(source)
    }

    /// Records a sender that the guest may answer.
    fn add_peer(&mut self, source: SocketAddr) {
        let peer = peer(source);
        if self.allows_destination(source) || self.peers.back() == Some(&peer) {
            return;
        }
        self.peers.retain(|known| *known != peer);
        if self.peers.len() == MAX_PEERS {
            self.peers.pop_front();
        }
        self.peers.push_back(peer);
    }

    /// Discards datagrams until the next is one that the guest may receive.
    fn discard_denied(&mut self) -> Result<()> {
        loop {
            let (_, source) = self.socket.try_recv_from(&mut [], true)?;
            if self.may_receive(source) {
                return Ok(());
            }
            self.socket.try_recv_from(&mut [], false)?;
        }
    }
}

impl VirtualConnectionlessSocket for GuardedUdp {
    fn try_send_to(&mut self, data: &[u8], addr: SocketAddr) -> Result<usize> {
        if self.allows_destination(addr) || self.peers.contains(&peer(addr)) {
            self.socket.try_send_to(data, addr)
        } else {
            Err(DENIED)
        }
    }

    fn try_recv_from(&mut self, buf: &mut [MaybeUninit<u8>], peek: bool) -> Result<(usize, SocketAddr)> {
        self.discard_denied()?;
        let (length, source) = self.socket.try_recv_from(buf, peek)?;
        self.add_peer(source);
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

/// Returns an address without the flow and scope of IPv6, which guests cannot set.
fn peer(address: SocketAddr) -> (IpAddr, u16) {
    (address.ip().to_canonical(), address.port())
}
