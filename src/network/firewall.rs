//! The network rules of one guest, and the addresses that it resolved.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use super::host::is_group;
use super::matching::destination;
use super::rule::{NetRule, Protocol};

/// The most resolved addresses kept for a guest. A wildcard rule such as `*.example.org` can match any number of names.
const MAX_RESOLVED: usize = 4096;

/// The most lookups of a guest that run at a time, each on its own thread.
const MAX_LOOKUPS: usize = 32;

/// The most lookups of all guests of the process at a time. A lookup runs to its end even if its guest no longer waits for it.
const MAX_LOOKUPS_OF_ALL: usize = 256;

/// Held by each running lookup of any guest.
static ALL_LOOKUPS: LazyLock<Arc<()>> = LazyLock::new(Arc::default);

/// The most sockets of a guest at a time, with and without rules. Each takes a file descriptor of the process.
const MAX_SOCKETS: usize = 256;
const MAX_SOCKETS_WITHOUT_RULES: usize = 32;

/// A socket of a guest, which counts until this is dropped.
#[derive(Debug)]
pub(crate) struct SocketClaim {
    _count: Arc<()>,
}

/// A running lookup, which counts until this is dropped.
#[derive(Debug)]
pub(super) struct LookupClaim {
    _of_guest: Arc<()>,
    _of_all: Arc<()>,
}

/// Why a lookup failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LookupError {
    /// No rule allows it.
    Denied,
    /// The text is neither a name nor an address.
    Invalid,
    /// The resolver found no address. It does not say why.
    NotFound,
    /// The guest has resolved too many addresses, too many lookups are running, or the system lacks resources.
    TooMany,
}

/// The network rules of one guest, and the addresses that it resolved.
#[derive(Debug)]
pub(crate) struct Firewall {
    rules: Vec<NetRule>,
    /// The resolved addresses, each with the index of the rule that matched its name.
    resolved: Mutex<BTreeSet<(usize, IpAddr)>>,
    /// Held by each running lookup.
    lookups: Arc<()>,
    /// Held by each socket that the guest created.
    sockets: Arc<()>,
}

impl Firewall {
    pub(crate) fn new(rules: &[NetRule]) -> Self {
        Self { rules: rules.to_vec(), resolved: Mutex::default(), lookups: Arc::default(), sockets: Arc::default() }
    }

    /// Returns whether it has any rule.
    pub(super) fn allows_any(&self) -> bool {
        !self.rules.is_empty()
    }

    /// Counts a new socket until the returned value is dropped. Returns `None` if the guest has too many.
    #[cfg_attr(
        not(any(feature = "components", feature = "http")),
        expect(dead_code, reason = "WASIX keeps its sockets itself")
    )]
    pub(crate) fn claim_socket(&self) -> Option<SocketClaim> {
        let max = if self.allows_any() { MAX_SOCKETS } else { MAX_SOCKETS_WITHOUT_RULES };
        claim(&self.sockets, max).map(|count| SocketClaim { _count: count })
    }

    /// Returns whether the guest may listen at a local address.
    pub(crate) fn allows_listen(&self, protocol: Protocol, at: SocketAddr) -> bool {
        self.rules.iter().any(|rule| rule.lets_listen(protocol, at))
    }

    /// Returns whether a socket at this IPv6 address may also receive IPv4.
    pub(crate) fn allows_listen_v4(&self, protocol: Protocol, at: SocketAddr) -> bool {
        at.ip().is_unspecified() && self.allows_listen(protocol, (Ipv4Addr::UNSPECIFIED, at.port()).into())
    }

    /// Returns whether the guest may bind a socket for outgoing traffic only: a rule must allow some destination, and the system
    /// must pick the port.
    pub(crate) fn allows_outgoing_bind(&self, protocol: Protocol, at: SocketAddr) -> bool {
        at.port() == 0 && !is_group(at.ip().to_canonical()) && self.rules.iter().any(|rule| rule.lets_out(protocol))
    }

    /// Returns whether the guest may send to this address.
    pub(crate) fn allows_destination(&self, protocol: Protocol, to: SocketAddr) -> bool {
        let Some(to) = destination(to) else { return false };
        let resolved =
            |index, address| self.resolved.lock().unwrap_or_else(PoisonError::into_inner).contains(&(index, address));
        let mut rules = self.rules.iter().enumerate();
        rules.any(|(index, rule)| rule.lets_reach(protocol, to, |address| resolved(index, address)))
    }

    /// Returns whether the guest may resolve this name.
    pub(super) fn allows_resolve(&self, name: &str) -> bool {
        self.rules.iter().any(|rule| rule.lets_resolve(name))
    }

    /// Begins a lookup, which lasts until the value is dropped. Returns `None` if too many are running.
    pub(super) fn begin_lookup(&self) -> Option<LookupClaim> {
        self.begin_lookup_among(&ALL_LOOKUPS)
    }

    /// The same, where `all` is held by each running lookup of any guest.
    pub(super) fn begin_lookup_among(&self, all: &Arc<()>) -> Option<LookupClaim> {
        let of_guest = claim(&self.lookups, MAX_LOOKUPS)?;
        Some(LookupClaim { _of_guest: of_guest, _of_all: claim(all, MAX_LOOKUPS_OF_ALL)? })
    }

    /// Records the addresses of a name for the rules that allow them.
    ///
    /// # Errors
    /// [`LookupError::TooMany`] if the guest has resolved too many.
    pub(super) fn add_resolved(&self, name: &str, addresses: &[IpAddr]) -> Result<(), LookupError> {
        let mut resolved = self.resolved.lock().unwrap_or_else(PoisonError::into_inner);
        let rules = self.rules.iter().enumerate().filter(|(_, rule)| rule.reaches_by(name));
        for (index, address) in rules.flat_map(|(index, _)| addresses.iter().map(move |address| (index, address))) {
            let found = (index, address.to_canonical());
            if resolved.len() >= MAX_RESOLVED && !resolved.contains(&found) {
                return Err(LookupError::TooMany);
            }
            resolved.insert(found);
        }
        Ok(())
    }
}

/// Returns one more reference to a count, unless there are `max` besides the first.
fn claim(count: &Arc<()>, max: usize) -> Option<Arc<()>> {
    let claim = Arc::clone(count);
    (Arc::strong_count(&claim) <= max + 1).then_some(claim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_were_resolved_before_are_never_too_many() {
        let firewall = Firewall::new(&["out:*.example.org:443".parse().unwrap()]);
        let address = |number: usize| IpAddr::from(Ipv4Addr::from_bits(u32::try_from(number).unwrap()));
        for number in 0..MAX_RESOLVED {
            firewall.add_resolved("a.example.org", &[address(number)]).unwrap();
        }
        firewall.add_resolved("a.example.org", &[address(0)]).unwrap();
        assert_eq!(firewall.add_resolved("b.example.org", &[address(MAX_RESOLVED)]), Err(LookupError::TooMany));
    }
}
