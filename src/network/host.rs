//! Whom a rule is about: anyone, the addresses of a network, or a name.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whom a rule is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Host {
    /// Anyone.
    Any,
    /// These addresses.
    Net(Network),
    /// What this name stands for when the guest asks.
    Name(Pattern),
}

/// Addresses that have their first bits in common. An IPv4 address in IPv6 clothes is an IPv4 address here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Network {
    pub(super) address: IpAddr,
    pub(super) prefix: u32,
}

/// A name, or all names below one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Pattern {
    pub(super) name: String,
    pub(super) below: bool,
}

/// Words with a meaning of their own where a name could stand.
const WORDS: [&str; 5] = ["in", "out", "tcp", "udp", "dns"];

/// Bits of an IPv4-mapped IPv6 address before the IPv4 address.
const MAPPED: u32 = 96;

impl Host {
    /// The host that `text` writes; an IPv6 address stands in brackets.
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
                let inside = rest.strip_suffix(']').ok_or_else(|| format!("`{host}` lacks its `]`"))?;
                let address: Ipv6Addr = inside.parse().map_err(|_| format!("`{inside}` is no IPv6 address"))?;
                Some(IpAddr::V6(address))
            }
            None => host.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
        };
        match (address, prefix) {
            (Some(address), prefix) => Network::new(address, prefix).map(Self::Net),
            (None, None) => Pattern::parse(host).map(Self::Name),
            (None, Some(_)) => Err(format!("`{host}` is no IPv4 address")),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Net(network) => network.fmt(f),
            Self::Name(pattern) => pattern.fmt(f),
        }
    }
}

impl Network {
    fn new(address: IpAddr, prefix: Option<&str>) -> Result<Self, String> {
        let most = width(address);
        let prefix = match prefix {
            None => most,
            Some(digits) if digits.len() <= 3 && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                let prefix = digits.parse().ok().filter(|prefix| *prefix <= most);
                prefix.ok_or_else(|| format!("`/{digits}` is no prefix: 0 to {most}"))?
            }
            Some(other) => return Err(format!("`/{other}` is no prefix: 0 to {most}")),
        };
        let network = match address.to_canonical() {
            plain @ IpAddr::V4(_) if address.is_ipv6() && prefix >= MAPPED => {
                Self { address: plain, prefix: prefix - MAPPED }
            }
            _ => Self { address, prefix },
        };
        let first = network.first();
        if first != network.address {
            return Err(format!("`{network}` has bits after its prefix: {}", Self { address: first, ..network }));
        }
        Ok(network)
    }

    /// Every address of the family that `address` is of.
    pub(super) fn all_like(address: IpAddr) -> Self {
        let unspecified = match address {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        };
        Self { address: unspecified, prefix: 0 }
    }

    /// The one address, where it is one.
    pub(super) fn single(self) -> Option<IpAddr> {
        (self.prefix == width(self.address)).then_some(self.address)
    }

    /// Whether nothing in it is the address of one machine: groups and broadcasts.
    pub(super) fn is_of_groups(self) -> bool {
        let least = if self.address.is_ipv4() { 4 } else { 8 };
        is_group(self.address) && self.prefix >= least
    }

    /// Its first address.
    pub(super) fn first(self) -> IpAddr {
        match self.address {
            IpAddr::V4(address) => {
                let kept = u32::MAX.checked_shl(32 - self.prefix).unwrap_or(0);
                IpAddr::V4(Ipv4Addr::from_bits(address.to_bits() & kept))
            }
            IpAddr::V6(address) => {
                let kept = u128::MAX.checked_shl(128 - self.prefix).unwrap_or(0);
                IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & kept))
            }
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address {
            IpAddr::V4(address) => write!(f, "{address}")?,
            IpAddr::V6(address) => write!(f, "[{address}]")?,
        }
        if self.single().is_some() { Ok(()) } else { write!(f, "/{}", self.prefix) }
    }
}

impl Pattern {
    /// The name, or the names below one, that `text` writes.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (below, written) = text.strip_prefix("*.").map_or((false, text), |rest| (true, rest));
        let name = name(written).ok_or_else(|| format!("`{text}` is no address and no name"))?;
        if !below && WORDS.contains(&&*name) {
            return Err(format!("`{name}` is a word of rules, and no host"));
        }
        Ok(Self { name, below })
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let below = if self.below { "*." } else { "" };
        write!(f, "{below}{}", self.name)
    }
}

/// A host's name in the one spelling it is compared in; nothing where it is none. What ends in a number is none: resolvers
/// take `127.1` and `0x7f000001` for addresses.
pub(crate) fn name(text: &str) -> Option<String> {
    let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    let label = |label: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        (1..=63).contains(&label.len()) && label.bytes().all(plain) && !label.starts_with('-') && !label.ends_with('-')
    };
    let number = |label: &str| {
        label.bytes().all(|byte| byte.is_ascii_digit())
            || label.strip_prefix("0x").is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    let named = name.len() <= 253 && name.split('.').all(label) && !name.rsplit('.').next().is_some_and(number);
    named.then_some(name)
}

/// Whether an address stands for several machines.
pub(crate) fn is_group(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_multicast() || address.is_broadcast(),
        IpAddr::V6(address) => address.is_multicast(),
    }
}

/// Bits of an address.
fn width(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}
