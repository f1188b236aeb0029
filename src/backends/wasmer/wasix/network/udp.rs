//! UDP sockets: where each datagram goes and comes from is held against the rules.

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

/// The most peers that a socket may answer since it heard them; those it heard longest ago are forgotten.
const MOST_HEARD: usize = 1024;

const DENIED: NetworkError = NetworkError::PermissionDenied;

/// A UDP socket behind a firewall.
#[derive(Debug)]
pub(super) struct GuardedUdp {
    socket: Box<dyn VirtualUdpSocket + Sync>,
    firewall: Arc<Firewall>,
    /// Whether anyone may send to it by IPv4, and by IPv6: where a rule lets the guest listen.
    hears_v4: bool,
    hears_v6: bool,
    /// Whom it heard and may not reach otherwise.
    heard: VecDeque<(IpAddr, u16)>,
}

impl GuardedUdp {
    pub(super) fn new(
        socket: Box<dyn VirtualUdpSocket + Sync>,
        firewall: Arc<Firewall>,
        hears_v4: bool,
        hears_v6: bool,
    ) -> Self {
        Self { socket, firewall, hears_v4, hears_v6, heard: VecDeque::new() }
    }

    fn lets_reach(&self, to: SocketAddr) -> bool {
        self.firewall.lets_reach(Protocol::Udp, to)
    }

    fn hears(&self, source: SocketAddr) -> bool {
        let anyone = if source.ip().to_canonical().is_ipv4() { self.hears_v4 } else { self.hears_v6 };
        anyone || self.lets_reach(source)
    }

    /// Remembers whom the guest heard, to let it answer.
    fn note_heard(&mut self, source: SocketAddr) {
        let peer = peer(source);
        if self.lets_reach(source) || self.heard.back() == Some(&peer) {
            return;
        }
        self.heard.retain(|heard| *heard != peer);
        if self.heard.len() == MOST_HEARD {
            self.heard.pop_front();
        }
        self.heard.push_back(peer);
    }

    /// Throws away what comes from those the guest must not hear, up to a datagram that it may have.
    fn discard_unheard(&mut self) -> Result<()> {
        loop {
            let (_, source) = self.socket.try_recv_from(&mut [], true)?;
            if self.hears(source) {
                return Ok(());
            }
            self.socket.try_recv_from(&mut [], false)?;
        }
    }
}

impl VirtualConnectionlessSocket for GuardedUdp {
    fn try_send_to(&mut self, data: &[u8], addr: SocketAddr) -> Result<usize> {
        if self.lets_reach(addr) || self.heard.contains(&peer(addr)) {
            self.socket.try_send_to(data, addr)
        } else {
            Err(DENIED)
        }
    }

    fn try_recv_from(&mut self, buf: &mut [MaybeUninit<u8>], peek: bool) -> Result<(usize, SocketAddr)> {
        self.discard_unheard()?;
        let (length, source) = self.socket.try_recv_from(buf, peek)?;
        self.note_heard(source);
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
                Poll::Ready(Ok(_)) if self.discard_unheard() == Err(NetworkError::WouldBlock) => {}
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

/// Broadcast and multicast are for groups, which no rule allows.
impl VirtualUdpSocket for GuardedUdp {
    fn set_broadcast(&mut self, broadcast: bool) -> Result<()> {
        if broadcast { Err(DENIED) } else { Ok(()) }
    }

    fn broadcast(&self) -> Result<bool> {
        Ok(false)
    }

    fn set_multicast_loop_v4(&mut self, _: bool) -> Result<()> {
        Err(DENIED)
    }

    fn multicast_loop_v4(&self) -> Result<bool> {
        Err(DENIED)
    }

    fn set_multicast_loop_v6(&mut self, _: bool) -> Result<()> {
        Err(DENIED)
    }

    fn multicast_loop_v6(&self) -> Result<bool> {
        Err(DENIED)
    }

    fn set_multicast_ttl_v4(&mut self, _: u32) -> Result<()> {
        Err(DENIED)
    }

    fn multicast_ttl_v4(&self) -> Result<u32> {
        Err(DENIED)
    }

    fn join_multicast_v4(&mut self, _: Ipv4Addr, _: Ipv4Addr) -> Result<()> {
        Err(DENIED)
    }

    fn leave_multicast_v4(&mut self, _: Ipv4Addr, _: Ipv4Addr) -> Result<()> {
        Err(DENIED)
    }

    fn join_multicast_v6(&mut self, _: Ipv6Addr, _: u32) -> Result<()> {
        Err(DENIED)
    }

    fn leave_multicast_v6(&mut self, _: Ipv6Addr, _: u32) -> Result<()> {
        Err(DENIED)
    }

    fn addr_peer(&self) -> Result<Option<SocketAddr>> {
        self.socket.addr_peer()
    }
}

/// An address without what guests do not say of one (a flow, a scope).
fn peer(address: SocketAddr) -> (IpAddr, u16) {
    (address.ip().to_canonical(), address.port())
}
