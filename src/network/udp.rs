//! Which datagrams a UDP socket may send and receive.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use super::firewall::Firewall;
use super::rule::Protocol;

/// The most peers that a socket may answer because it received from them; the oldest are dropped.
const MAX_PEERS: usize = 1024;

/// The rules for one UDP socket, and the peers that it may answer.
#[derive(Debug)]
pub(crate) struct UdpRules {
    firewall: Arc<Firewall>,
    /// Whether a rule lets the guest receive from any IPv4 address.
    any_v4: bool,
    /// Whether a rule lets the guest receive from any IPv6 address.
    any_v6: bool,
    /// Senders that no rule allows as destinations, but that the guest may answer.
    peers: VecDeque<(IpAddr, u16)>,
}

impl UdpRules {
    /// Creates the rules for a socket that will be bound to an address. Returns `None` if the guest may not bind it.
    pub(crate) fn bind(firewall: &Arc<Firewall>, at: SocketAddr) -> Option<Self> {
        let may_listen = firewall.allows_listen(Protocol::Udp, at);
        if !may_listen && !firewall.allows_outgoing_bind(Protocol::Udp, at) {
            return None;
        }
        let is_v4 = at.ip().to_canonical().is_ipv4();
        let any_v4 = if is_v4 { may_listen } else { firewall.allows_listen_v4(Protocol::Udp, at) };
        Some(Self { firewall: Arc::clone(firewall), any_v4, any_v6: may_listen && !is_v4, peers: VecDeque::new() })
    }

    /// Returns whether the socket may send to an address.
    pub(crate) fn may_send(&self, to: SocketAddr) -> bool {
        self.firewall.allows_destination(Protocol::Udp, to) || self.peers.contains(&peer(to))
    }

    /// Returns whether the socket may receive from an address.
    pub(crate) fn may_receive(&self, source: SocketAddr) -> bool {
        let from_any = if source.ip().to_canonical().is_ipv4() { self.any_v4 } else { self.any_v6 };
        from_any || self.firewall.allows_destination(Protocol::Udp, source)
    }

    /// Records a sender that the guest may answer.
    pub(crate) fn add_peer(&mut self, source: SocketAddr) {
        let peer = peer(source);
        if self.firewall.allows_destination(Protocol::Udp, source) || self.peers.back() == Some(&peer) {
            return;
        }
        self.peers.retain(|known| *known != peer);
        if self.peers.len() == MAX_PEERS {
            self.peers.pop_front();
        }
        self.peers.push_back(peer);
    }
}

/// Returns an address without the flow and scope of IPv6, which guests cannot set.
fn peer(address: SocketAddr) -> (IpAddr, u16) {
    (address.ip().to_canonical(), address.port())
}
