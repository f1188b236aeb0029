//! A network rule and its text form.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use derive_more::Display;
use ipnet::IpNet;
use serde::{Serialize, Serializer};

use super::host::{self, Host, Pattern};
use crate::error::{Error, ErrorKind};

/// A rule that allows a guest to use the network. Everything that no rule allows is denied.
///
/// Rules have a text form, which [`FromStr`] parses and [`fmt::Display`] formats:
///
/// | rule | allows |
/// | --- | --- |
/// | `[out:][tcp:\|udp:]HOST:PORTS` | reaching these hosts at these ports |
/// | `in:[tcp:\|udp:]HOST:PORTS` | listening at these addresses of this machine, for any peer |
/// | `dns[:NAME]` | looking up this name, or any name |
///
/// `PORTS` is `80`, `8000-8080` or `*`. `HOST` is an address (`127.0.0.1`, `[::1]`), a network (`10.0.0.0/8`, `[fe80::]/10`),
/// `*` for any, and in `out` rules also a name (`example.org`) or the names below one (`*.example.org`). Without `tcp` or `udp`, a
/// rule applies to both.
///
/// - Addresses: an IPv4-mapped IPv6 address (`::ffff:127.0.0.1`) is treated as its IPv4 address, in rules and in requests of the
///   guest. Sending to `0.0.0.0` or `::` reaches this machine. Listening there means listening at every address of the family,
///   so a rule must allow the whole family: `0.0.0.0` and `[::]` in an `in` rule do.
/// - Names: a rule with a name also allows resolving it, and allows only the addresses that this guest resolved from it. The
///   name server decides which addresses these are. An `out` rule with `*` allows resolving any name and connecting
///   to any address.
/// - Port 0 lets the system choose a port. A socket bound to it that no `in` rule allows may only reach out.
/// - UDP: a socket receives from the addresses it may reach. A socket that an `in` rule allows receives from any address, and
///   may reply.
/// - No rule allows multicast, broadcast, raw and ICMP sockets, interfaces, routes and bridges.
#[derive(Clone, Debug, Display, PartialEq, Eq, Hash)]
pub struct NetRule(pub(super) Kind);

/// The content of a rule.
#[derive(Clone, Debug, Display, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// Reaching a host.
    #[display("out:{_0}")]
    Out(Flow),
    /// Listening at addresses of this machine.
    #[display("in:{_0}")]
    In(Flow),
    /// Looking up a name, or any.
    #[display("dns{}", _0.as_ref().map(|pattern| format!(":{pattern}")).unwrap_or_default())]
    Dns(Option<Pattern>),
}

/// Traffic with a host.
#[derive(Clone, Debug, Display, PartialEq, Eq, Hash)]
#[display("{}{host}:{ports}", protocol.map(|protocol| format!("{protocol}:")).unwrap_or_default())]
pub(super) struct Flow {
    /// The protocol; `None` means both.
    pub(super) protocol: Option<Protocol>,
    pub(super) host: Host,
    pub(super) ports: Ports,
}

/// A protocol above IP.
#[derive(Clone, Copy, Debug, Display, PartialEq, Eq, Hash)]
pub(crate) enum Protocol {
    #[display("tcp")]
    Tcp,
    #[display("udp")]
    Udp,
}

/// An inclusive range of ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Ports {
    pub(super) first: u16,
    pub(super) last: u16,
}

/// The syntax of rules, for error messages.
const SYNTAX: &str = "expected [out:|in:][tcp:|udp:]HOST:PORTS or dns[:NAME], where HOST is an address (127.0.0.1, [::1]), \
                     a network (10.0.0.0/8, [fe80::]/10), a name (example.org, *.example.org) or *, and PORTS is 80, \
                     8000-8080 or *";

impl FromStr for NetRule {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let kind = Kind::parse(text);
        kind.map(Self).map_err(|why| Error::new(ErrorKind::Grant, format!("invalid network rule: {why}; {SYNTAX}")))
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
        let (host, ports) = rest.rsplit_once(':').ok_or_else(|| format!("`{rest}` has no port"))?;
        if host.is_empty() {
            return Err("the host is empty".to_owned());
        }
        if host.contains(':') && !host.starts_with('[') {
            return Err(format!("invalid host `{host}`: an IPv6 address must be in brackets"));
        }
        // The last colon of `[::1]` does not separate a port.
        if ports.ends_with(']') {
            return Err(format!("`{rest}` has no port"));
        }
        match Host::parse(host)? {
            Host::Net(network) if host::has_only_groups(network) => {
                Err(format!("`{}` is a multicast or broadcast address, which no rule allows", Host::Net(network)))
            }
            host => Ok(Self { protocol, host, ports: Ports::parse(ports)? }),
        }
    }

    fn outgoing(self) -> Result<Self, String> {
        match &self.host {
            Host::Net(network) if host::single_address(*network).is_some_and(|address| address.is_unspecified()) => {
                Err(format!("`{}` is the unspecified address; this machine is 127.0.0.1 and [::1]", self.host))
            }
            _ if self.ports.last == 0 => Err("port 0 is not a valid destination".to_owned()),
            _ => Ok(self),
        }
    }

    fn incoming(mut self) -> Result<Self, String> {
        match &self.host {
            Host::Name(name) => Err(format!("`{name}` is a name, but a guest can listen only at addresses")),
            Host::Net(network) => {
                if let Some(address) = host::single_address(*network).filter(IpAddr::is_unspecified) {
                    self.host = Host::Net(IpNet::new_assert(address, 0));
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
            let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then(|| digits.parse().ok()).flatten().ok_or_else(|| format!("invalid port `{digits}`"))
        };
        match text.split_once('-') {
            _ if text == "*" => Ok(Self::ALL),
            None => port(text).map(|port| Self { first: port, last: port }),
            Some((first, last)) => match (port(first)?, port(last)?) {
                (first, last) if first <= last => Ok(Self { first, last }),
                (first, last) => Err(format!("invalid port range: {first} is greater than {last}")),
            },
        }
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
