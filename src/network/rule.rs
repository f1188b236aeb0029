//! One rule, and how it is written.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::host::{Host, Network, Pattern};
use crate::error::{Error, ErrorKind};

/// One thing that a guest may do on a network. What no rule allows is refused.
///
/// Rules have a text form, which [`FromStr`] reads and [`fmt::Display`] writes:
///
/// | rule | what it allows |
/// | --- | --- |
/// | `[out:][tcp:\|udp:]HOST:PORTS` | to reach these hosts at these ports |
/// | `in:[tcp:\|udp:]HOST:PORTS` | to listen at these addresses of this machine, to anyone |
/// | `dns[:NAME]` | to look up this name, or any |
///
/// `PORTS` is `80`, `8000-8080` or `*`. `HOST` is an address (`127.0.0.1`, `[::1]`), a network (`10.0.0.0/8`, `[fe80::]/10`),
/// `*` for any, and where the guest reaches out also a name (`example.org`) or the names below one (`*.example.org`).
/// Without `tcp` or `udp` a rule is about both.
///
/// - Addresses: an IPv4 address in IPv6 clothes (`::ffff:127.0.0.1`) is that IPv4 address, in rules and in what a guest asks
///   for. `0.0.0.0` and `::` reach this machine, and to listen there is to listen at every address of its family,
///   which a rule must have granted as a whole: `0.0.0.0` and `[::]` say so in an `in` rule.
/// - Names: a rule with a name (or `*`) includes looking it up, and allows the addresses which that guest has found by
///   it; not an address that the guest knew otherwise. Whoever answers for a name says which addresses those are.
/// - Port 0 is a port that the system picks. A socket bound to it that no `in` rule allows may only reach out.
/// - UDP: a socket hears those it may reach. One that an `in` rule allows hears anyone, and may answer those it heard.
/// - Sending to groups (multicast, broadcast) and joining them, raw and ICMP sockets, interfaces, routes and bridges are
///   allowed by no rule.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NetRule(pub(super) Kind);

/// What a rule is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// Reaching a host.
    Out(Flow),
    /// Listening at addresses of this machine.
    In(Flow),
    /// Looking up a name, or any.
    Dns(Option<Pattern>),
}

/// Traffic.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Flow {
    /// Of this protocol, or both.
    pub(super) protocol: Option<Protocol>,
    pub(super) host: Host,
    pub(super) ports: Ports,
}

/// A protocol above IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Protocol {
    Tcp,
    Udp,
}

/// Ports from the first to the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Ports {
    pub(super) first: u16,
    pub(super) last: u16,
}

/// How rules are written, for whoever wrote none.
const FORMS: &str = "a rule is [out:|in:][tcp:|udp:]HOST:PORTS or dns[:NAME], where HOST is an address (127.0.0.1, [::1]), \
                     a network (10.0.0.0/8, [fe80::]/10), a name (example.org, *.example.org) or *, and PORTS is 80, \
                     8000-8080 or *";

impl FromStr for NetRule {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let kind = Kind::parse(text);
        kind.map(Self).map_err(|why| Error::new(ErrorKind::Grant, format!("no network rule: {why}; {FORMS}")))
    }
}

impl Kind {
    fn parse(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "dns" => Ok(Self::Dns(None)),
            Some(("dns", "*")) => Ok(Self::Dns(None)),
            Some(("dns", name)) => Pattern::parse(name).map(|pattern| Self::Dns(Some(pattern))),
            Some(("in", rest)) => Flow::parse(rest)?.incoming().map(Self::In),
            Some(("out", rest)) => Flow::parse(rest)?.outgoing().map(Self::Out),
            _ => Flow::parse(text)?.outgoing().map(Self::Out),
        }
    }
}

impl Flow {
    fn parse(text: &str) -> Result<Self, String> {
        let (protocol, rest) = match text.split_once(':') {
            Some(("tcp", rest)) => (Some(Protocol::Tcp), rest),
            Some(("udp", rest)) => (Some(Protocol::Udp), rest),
            _ => (None, text),
        };
        let (host, ports) = rest.rsplit_once(':').ok_or_else(|| format!("`{rest}` names no port"))?;
        if host.is_empty() {
            return Err("it names no host".to_owned());
        }
        if host.contains(':') && !host.starts_with('[') {
            return Err(format!("`{host}` is no host (an IPv6 address stands in brackets)"));
        }
        // In `[::1]` the last colon is none before ports.
        if ports.ends_with(']') {
            return Err(format!("`{rest}` names no port"));
        }
        Self { protocol, host: Host::parse(host)?, ports: Ports::parse(ports)? }.of_machines()
    }

    fn of_machines(self) -> Result<Self, String> {
        match &self.host {
            Host::Net(network) if network.is_of_groups() => {
                Err(format!("`{network}` is for groups of machines, which no rule allows"))
            }
            _ => Ok(self),
        }
    }

    fn outgoing(self) -> Result<Self, String> {
        match &self.host {
            Host::Net(network) if network.single().is_some_and(|address| address.is_unspecified()) => {
                Err(format!("`{network}` is nobody's address (this machine is 127.0.0.1 and [::1])"))
            }
            _ if self.ports.last == 0 => Err("port 0 cannot be reached".to_owned()),
            _ => Ok(self),
        }
    }

    fn incoming(mut self) -> Result<Self, String> {
        match &self.host {
            Host::Name(name) => Err(format!("a guest listens at an address, and `{name}` is a name")),
            Host::Net(network) => {
                if let Some(address) = network.single().filter(IpAddr::is_unspecified) {
                    self.host = Host::Net(Network::all_like(address));
                }
                Ok(self)
            }
            Host::Any => Ok(self),
        }
    }
}

impl Ports {
    const ALL: Self = Self { first: 0, last: u16::MAX };

    fn parse(text: &str) -> Result<Self, String> {
        let port = |digits: &str| {
            let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
            plain.then(|| digits.parse().ok()).flatten().ok_or_else(|| format!("`{digits}` is no port"))
        };
        match text.split_once('-') {
            _ if text == "*" => Ok(Self::ALL),
            None => port(text).map(|port| Self { first: port, last: port }),
            Some((first, last)) => match (port(first)?, port(last)?) {
                (first, last) if first <= last => Ok(Self { first, last }),
                (first, last) => Err(format!("ports go up, and {first} is more than {last}")),
            },
        }
    }
}

impl fmt::Display for NetRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Out(flow) => write!(f, "out:{flow}"),
            Kind::In(flow) => write!(f, "in:{flow}"),
            Kind::Dns(None) => f.write_str("dns"),
            Kind::Dns(Some(pattern)) => write!(f, "dns:{pattern}"),
        }
    }
}

impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let protocol = match self.protocol {
            Some(Protocol::Tcp) => "tcp:",
            Some(Protocol::Udp) => "udp:",
            None => "",
        };
        write!(f, "{protocol}{}:{}", self.host, self.ports)
    }
}

impl fmt::Display for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::ALL => f.write_str("*"),
            Self { first, last } if first == last => write!(f, "{first}"),
            Self { first, last } => write!(f, "{first}-{last}"),
        }
    }
}

impl Serialize for NetRule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
