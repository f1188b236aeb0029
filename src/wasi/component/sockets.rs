//! The network rules for sockets of components. Any guest may create sockets; the rules apply when it uses them.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use wasmtime_wasi::WasiCtxBuilder;
use wasmtime_wasi::sockets::{SocketAddrUse, WasiSocketsCtx};

use crate::network::{Firewall, Protocol, SocketClaim, UdpRules};

/// Counts the TCP sockets of a guest. A connection counts until its socket and the streams of it are dropped.
#[derive(Debug, Default)]
pub(super) struct TcpClaims {
    /// By the handles of the sockets in the table.
    of_sockets: HashMap<u32, Arc<SocketClaim>>,
    /// The claims of accepted connections, whose handles are unknown. If the guest never takes a connection, its claim stays.
    accepted: Accepted,
}

type Accepted = Arc<Mutex<Vec<SocketClaim>>>;

impl TcpClaims {
    /// Stores the claim of a socket that the guest created.
    pub(super) fn add(&mut self, socket: u32, claim: Arc<SocketClaim>) {
        self.of_sockets.insert(socket, claim);
    }

    /// Returns the claim of a socket, if it is open.
    #[cfg(feature = "wasi-p3")]
    pub(super) fn of(&mut self, socket: u32, is_open: bool) -> Option<Arc<SocketClaim>> {
        if is_open && !self.of_sockets.contains_key(&socket) {
            let claim = self.take_accepted()?;
            self.add(socket, Arc::new(claim));
        }
        self.of_sockets.get(&socket).cloned()
    }

    /// Releases the claim of a dropped socket, which was open or not. One that could not be accepted is not open and has no claim.
    pub(super) fn release(&mut self, socket: u32, was_open: bool) {
        if self.of_sockets.remove(&socket).is_none() && was_open {
            self.take_accepted();
        }
    }

    fn take_accepted(&self) -> Option<SocketClaim> {
        self.accepted.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }
}

/// Returns the context with which to create one socket, and the claim of this socket. Returns `None` if there are too many.
pub(super) fn context(firewall: &Arc<Firewall>, tcp: &TcpClaims) -> Option<(WasiSocketsCtx, Arc<SocketClaim>)> {
    let claim = Arc::new(firewall.claim_socket()?);
    let rules = Mutex::new(SocketRules {
        firewall: Arc::clone(firewall),
        may_listen: false,
        udp: None,
        accepted: Arc::clone(&tcp.accepted),
        _claim: Arc::clone(&claim),
    });
    let check = move |address, action| {
        let is_allowed = rules.lock().unwrap_or_else(PoisonError::into_inner).allow(address, action);
        Box::pin(std::future::ready(is_allowed)) as _
    };
    let mut builder = WasiCtxBuilder::new();
    builder.allow_tcp(true).allow_udp(true).socket_addr_check(check);
    Some((builder.build().sockets().clone(), claim))
}

/// The rules for one socket.
#[derive(Debug)]
struct SocketRules {
    firewall: Arc<Firewall>,
    /// Whether a TCP socket may listen at the address to which it is bound.
    may_listen: bool,
    /// Set if a UDP socket is bound.
    udp: Option<UdpRules>,
    accepted: Accepted,
    /// The socket keeps its rules, and so this.
    _claim: Arc<SocketClaim>,
}

impl SocketRules {
    /// Returns whether the socket may do this. wasmtime-wasi asks before each action, also before those that another implies:
    /// it asks to bind a socket that is not bound before it asks to connect, listen or send.
    fn allow(&mut self, address: SocketAddr, action: SocketAddrUse) -> bool {
        let Self { firewall, may_listen, udp, accepted, .. } = self;
        match action {
            SocketAddrUse::TcpBind => {
                *may_listen = firewall.allows_listen(Protocol::Tcp, address);
                *may_listen || firewall.allows_outgoing_bind(Protocol::Tcp, address)
            }
            SocketAddrUse::TcpListen => *may_listen,
            // The connection is reset if there are too many.
            SocketAddrUse::TcpAccept => firewall.claim_socket().is_some_and(|claim| {
                accepted.lock().unwrap_or_else(PoisonError::into_inner).push(claim);
                true
            }),
            SocketAddrUse::TcpConnect => firewall.allows_destination(Protocol::Tcp, address),
            SocketAddrUse::UdpBind => {
                *udp = UdpRules::bind(firewall, address);
                udp.is_some()
            }
            SocketAddrUse::UdpSend => udp.as_ref().is_some_and(|rules| rules.may_send(address)),
            SocketAddrUse::UdpReceive => match udp {
                Some(rules) if rules.may_receive(address) => {
                    rules.add_peer(address);
                    true
                }
                _ => false,
            },
        }
    }
}
