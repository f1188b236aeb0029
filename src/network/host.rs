//! The host of a rule: any, the addresses of a network, or a name.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// The host of a rule.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Host {
    /// Any host.
    Any,
    /// The addresses of a network. IPv4-mapped IPv6 addresses are IPv4 addresses here.
    Net(IpNet),
    /// The addresses that the guest finds by looking up this name.
    Name(Pattern),
}

/// A host name, or all names below one.
#[derive(Clone, Debug, derive_more::Display, PartialEq, Eq, Hash)]
#[display("{}{name}", if *below { "*." } else { "" })]
pub(super) struct Pattern {
    pub(super) name: String,
    /// Whether it matches the names below `name` instead of `name` itself.
    pub(super) below: bool,
}

/// The keywords of rules, which are not accepted as host names.
const KEYWORDS: [&str; 5] = ["in", "out", "tcp", "udp", "dns"];

/// The length in bits of the prefix of IPv4-mapped IPv6 addresses.
const MAPPED: u8 = 96;

impl Host {
    /// Parses a host; an IPv6 address must be in brackets.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text == "*" {
            return Ok(Self::Any);
        }
        let (host, prefix) = match text.split_once('/') {
            Some((host, prefix)) => (host, Some(prefix)),
            None => (text, None),
        };
        let address = match host.strip_prefix('[') {
            Some(rest) => {
                let inside = rest.strip_suffix(']').ok_or_else(|| format!("missing `]` in `{host}`"))?;
                let address: Ipv6Addr = inside.parse().map_err(|_| format!("invalid IPv6 address `{inside}`"))?;
                Some(IpAddr::V6(address))
            }
            None => host.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
        };
        match (address, prefix) {
            (Some(address), prefix) => network(address, prefix).map(Self::Net),
            (None, None) => Pattern::parse(host).map(Self::Name),
            (None, Some(_)) => Err(format!("invalid IPv4 address `{host}`")),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Net(network) => {
                match network.addr() {
                    IpAddr::V4(address) => write!(f, "{address}")?,
                    IpAddr::V6(address) => write!(f, "[{address}]")?,
                }
                if single_address(*network).is_some() { Ok(()) } else { write!(f, "/{}", network.prefix_len()) }
            }
            Self::Name(pattern) => pattern.fmt(f),
        }
    }
}

/// Parses the network of an address and the text after its `/`. An IPv4-mapped IPv6 network becomes an IPv4 network.
fn network(address: IpAddr, prefix: Option<&str>) -> Result<IpNet, String> {
    let max = IpNet::from(address).max_prefix_len();
    let length = match prefix {
        None => Some(max),
        Some(digits) if digits.len() <= 3 && digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().ok(),
        Some(_) => None,
    };
    let network = length
        .and_then(|length| IpNet::new(address, length).ok())
        .ok_or_else(|| format!("invalid prefix length `/{}`: expected 0 to {max}", prefix.unwrap_or_default()))?;
    let network = match (address, address.to_canonical()) {
        (IpAddr::V6(_), mapped @ IpAddr::V4(_)) if network.prefix_len() >= MAPPED => {
            IpNet::new_assert(mapped, network.prefix_len() - MAPPED)
        }
        _ => network,
    };
    if network.trunc() != network {
        let (given, expected) = (Host::Net(network), Host::Net(network.trunc()));
        return Err(format!("`{given}` has bits set after its prefix: expected {expected}"));
    }
    Ok(network)
}

/// Returns the address of a network that has only one.
pub(super) fn single_address(network: IpNet) -> Option<IpAddr> {
    (network.prefix_len() == network.max_prefix_len()).then(|| network.addr())
}

/// Whether a network consists of multicast and broadcast addresses only.
pub(super) fn has_only_groups(network: IpNet) -> bool {
    let multicast_prefix = if network.addr().is_ipv4() { 4 } else { 8 };
    is_group(network.addr()) && network.prefix_len() >= multicast_prefix
}

impl Pattern {
    /// Parses a name, or `*.` and a name.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (below, written) = text.strip_prefix("*.").map_or((false, text), |rest| (true, rest));
        let name = name(written).ok_or_else(|| format!("`{text}` is neither an address nor a host name"))?;
        if !below && KEYWORDS.contains(&&*name) {
            return Err(format!("`{name}` is a keyword of rules, not a host"));
        }
        Ok(Self { name, below })
    }
}

/// Returns a host name in the form in which names are compared; `None` if it is not a valid name. A name whose last label is a
/// number is not valid, since resolvers take `127.1` and `0x7f000001` for addresses.
pub(crate) fn name(text: &str) -> Option<String> {
    let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    let is_label = |label: &str| {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        (1..=63).contains(&label.len())
            && label.bytes().all(is_allowed)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_number = |label: &str| {
        label.bytes().all(|byte| byte.is_ascii_digit())
            || label.strip_prefix("0x").is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    let is_valid =
        name.len() <= 253 && name.split('.').all(is_label) && !name.rsplit('.').next().is_some_and(is_number);
    is_valid.then_some(name)
}

/// Whether an address is a multicast or broadcast address.
pub(crate) fn is_group(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_multicast() || address.is_broadcast(),
        IpAddr::V6(address) => address.is_multicast(),
    }
}
