//! Matches addresses and names against the rules.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::host::{self, Host, Pattern};
use super::rule::{Flow, Kind, NetRule, Ports, Protocol};

impl NetRule {
    /// Whether a guest may listen at an address of this machine. Port 0 lets the system choose one.
    pub(crate) fn lets_listen(&self, protocol: Protocol, at: SocketAddr) -> bool {
        let Kind::In(flow) = &self.0 else { return false };
        let address = at.ip().to_canonical();
        flow.matches(protocol, at.port())
            && !host::is_group(address)
            && match &flow.host {
                Host::Any => true,
                // Listening at the unspecified address means listening at all addresses.
                Host::Net(network) if address.is_unspecified() => {
                    network.prefix_len() == 0 && network.contains(&address)
                }
                Host::Net(network) => network.contains(&address),
                Host::Name(_) => false,
            }
    }

    /// Whether a guest may reach an address that [`destination`] returned. For a rule with a name, `found` says whether the guest
    /// has found an address by that name.
    pub(crate) fn lets_reach(&self, protocol: Protocol, to: SocketAddr, found: impl FnOnce(IpAddr) -> bool) -> bool {
        let Kind::Out(flow) = &self.0 else { return false };
        flow.matches(protocol, to.port())
            && match &flow.host {
                Host::Any => true,
                Host::Net(network) => network.contains(&to.ip()),
                Host::Name(_) => found(to.ip()),
            }
    }

    /// Whether a guest may reach any address by this protocol.
    pub(crate) fn lets_out(&self, protocol: Protocol) -> bool {
        matches!(&self.0, Kind::Out(Flow { protocol: only, .. }) if only.is_none_or(|only| only == protocol))
    }

    /// Whether a guest may look up a name that [`host::name`] returned.
    pub(crate) fn lets_resolve(&self, name: &str) -> bool {
        match &self.0 {
            Kind::Dns(None) | Kind::Out(Flow { host: Host::Any, .. }) => true,
            Kind::Dns(Some(pattern)) => pattern.matches(name),
            Kind::Out(_) => self.reaches_by(name),
            Kind::In(_) => false,
        }
    }

    /// Whether a guest may reach the addresses that it finds by this name.
    pub(crate) fn reaches_by(&self, name: &str) -> bool {
        matches!(&self.0, Kind::Out(Flow { host: Host::Name(pattern), .. }) if pattern.matches(name))
    }
}

impl Flow {
    fn matches(&self, protocol: Protocol, port: u16) -> bool {
        let Ports { first, last } = self.ports;
        self.protocol.is_none_or(|only| only == protocol) && (first..=last).contains(&port)
    }
}

impl Pattern {
    /// Whether it matches a name that [`host::name`] returned.
    fn matches(&self, name: &str) -> bool {
        match name.strip_suffix(&self.name) {
            Some(head) if self.below => head.ends_with('.'),
            Some(head) => head.is_empty(),
            None => false,
        }
    }
}

/// Returns where traffic to an address goes: an IPv4-mapped address to its IPv4 address, the unspecified address to this machine.
/// Returns `None` for what no rule allows: multicast, broadcast and port 0.
pub(crate) fn destination(to: SocketAddr) -> Option<SocketAddr> {
    let address = match to.ip().to_canonical() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        address => address,
    };
    (to.port() != 0 && !host::is_group(address)).then(|| SocketAddr::new(address, to.port()))
}
