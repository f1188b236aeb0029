//! The rules of one guest, and what it found by names.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Mutex, PoisonError};

use virtual_net::{NetworkError, Result};

use crate::network::{NetRule, Protocol, destination, is_group};

/// The most addresses that are kept of those a guest found by names: who answers for `*.example.org` has any number.
const MOST_FOUND: usize = 4096;

/// The rules of one guest, and what it found by names.
#[derive(Debug)]
pub(super) struct Firewall {
    rules: Vec<NetRule>,
    /// Addresses, each with the index of the rule whose name it was found by.
    found: Mutex<BTreeSet<(usize, IpAddr)>>,
}

impl Firewall {
    pub(super) fn new(rules: &[NetRule]) -> Self {
        Self { rules: rules.to_vec(), found: Mutex::default() }
    }

    /// Whether it allows anything.
    pub(super) fn allows_any(&self) -> bool {
        !self.rules.is_empty()
    }

    /// Whether the guest may listen at an address of this machine.
    pub(super) fn lets_listen(&self, protocol: Protocol, at: SocketAddr) -> bool {
        self.rules.iter().any(|rule| rule.lets_listen(protocol, at))
    }

    /// Whether the guest may listen to IPv4, where it listens at an IPv6 address that hears it too.
    pub(super) fn lets_listen_v4(&self, protocol: Protocol, at: SocketAddr) -> bool {
        at.ip().is_unspecified() && self.lets_listen(protocol, (Ipv4Addr::UNSPECIFIED, at.port()).into())
    }

    /// Whether the guest may bind a socket that only reaches out: where the system picks the port, and there is somebody to
    /// reach.
    pub(super) fn lets_bind_to_reach(&self, protocol: Protocol, at: SocketAddr) -> bool {
        at.port() == 0 && !is_group(at.ip().to_canonical()) && self.rules.iter().any(|rule| rule.lets_out(protocol))
    }

    /// Whether the guest may reach this address.
    pub(super) fn lets_reach(&self, protocol: Protocol, to: SocketAddr) -> bool {
        let Some(to) = destination(to) else { return false };
        let found =
            |index, address| self.found.lock().unwrap_or_else(PoisonError::into_inner).contains(&(index, address));
        let mut rules = self.rules.iter().enumerate();
        rules.any(|(index, rule)| rule.lets_reach(protocol, to, |address| found(index, address)))
    }

    /// Whether the guest may look up this name.
    pub(super) fn lets_resolve(&self, name: &str) -> bool {
        self.rules.iter().any(|rule| rule.lets_resolve(name))
    }

    /// Keeps what the guest found by a name, for the rules that let it reach that.
    pub(super) fn note_found(&self, name: &str, addresses: &[IpAddr]) -> Result<()> {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let rules = self.rules.iter().enumerate().filter(|(_, rule)| rule.reaches_by(name));
        for (index, address) in rules.flat_map(|(index, _)| addresses.iter().map(move |address| (index, address))) {
            if found.len() >= MOST_FOUND {
                return Err(NetworkError::InsufficientMemory);
            }
            found.insert((index, address.to_canonical()));
        }
        Ok(())
    }
}
