//! What a rule allows.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::host::{self, Host, Network, Pattern};
use super::rule::{Flow, Kind, NetRule, Ports, Protocol};

impl NetRule {
    /// Whether a guest may listen at an address of this machine. Port 0 is one that the system picks.
    pub(crate) fn lets_listen(&self, protocol: Protocol, at: SocketAddr) -> bool {
        let Kind::In(flow) = &self.0 else { return false };
        let address = at.ip().to_canonical();
        flow.is_about(protocol, at.port())
            && !host::is_group(address)
            && match &flow.host {
                Host::Any => true,
                // To listen there is to listen at all of them.
                Host::Net(network) if address.is_unspecified() => network.is_all() && network.contains(address),
                Host::Net(network) => network.contains(address),
                Host::Name(_) => false,
            }
    }

    /// Whether a guest may reach what [`destination`] made; of a rule with a name, `found` tells whether an address was
    /// found by it.
    pub(crate) fn lets_reach(&self, protocol: Protocol, to: SocketAddr, found: impl FnOnce(IpAddr) -> bool) -> bool {
        let Kind::Out(flow) = &self.0 else { return false };
        flow.is_about(protocol, to.port())
            && match &flow.host {
                Host::Any => true,
                Host::Net(network) => network.contains(to.ip()),
                Host::Name(_) => found(to.ip()),
            }
    }

    /// Whether a guest may reach anyone by this protocol.
    pub(crate) fn lets_out(&self, protocol: Protocol) -> bool {
        matches!(&self.0, Kind::Out(Flow { protocol: only, .. }) if only.is_none_or(|only| only == protocol))
    }

    /// Whether a guest may look up this name, which [`host::name`] made.
    pub(crate) fn lets_resolve(&self, name: &str) -> bool {
        match &self.0 {
            Kind::Dns(None) | Kind::Out(Flow { host: Host::Any, .. }) => true,
            Kind::Dns(Some(pattern)) => pattern.matches(name),
            Kind::Out(_) => self.name().is_some_and(|pattern| pattern.matches(name)),
            Kind::In(_) => false,
        }
    }

    /// Whether the addresses of this name may be reached by it, once they are found.
    pub(crate) fn reaches_by(&self, name: &str) -> bool {
        self.name().is_some_and(|pattern| pattern.matches(name))
    }

    fn name(&self) -> Option<&Pattern> {
        match &self.0 {
            Kind::Out(Flow { host: Host::Name(pattern), .. }) => Some(pattern),
            _ => None,
        }
    }
}

impl Flow {
    fn is_about(&self, protocol: Protocol, port: u16) -> bool {
        let Ports { first, last } = self.ports;
        self.protocol.is_none_or(|only| only == protocol) && (first..=last).contains(&port)
    }
}

impl Network {
    /// Whether it is every address of its family.
    fn is_all(self) -> bool {
        self.prefix == 0
    }

    /// Whether an address, IPv4 where it can be, is in it.
    fn contains(self, address: IpAddr) -> bool {
        let same_family = self.address.is_ipv4() == address.is_ipv4();
        same_family && Self { address, ..self }.first() == self.address
    }
}

impl Pattern {
    /// Whether it is about this name, which [`host::name`] made.
    fn matches(&self, name: &str) -> bool {
        match name.strip_suffix(&self.name) {
            Some(head) if self.below => head.ends_with('.'),
            Some(head) => head.is_empty(),
            None => false,
        }
    }
}

/// Where traffic to this address goes: IPv4 in IPv6 clothes to that IPv4 address, the unspecified address to this machine.
/// Nothing for what no rule allows: groups, and port 0.
pub(crate) fn destination(to: SocketAddr) -> Option<SocketAddr> {
    let address = match to.ip().to_canonical() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        address => address,
    };
    (to.port() != 0 && !host::is_group(address)).then(|| SocketAddr::new(address, to.port()))
}
