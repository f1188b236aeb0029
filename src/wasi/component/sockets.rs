//! The network rules for sockets of components. Any guest may create sockets; the rules apply when it uses them.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use wasmtime_wasi::WasiCtxBuilder;
use wasmtime_wasi::sockets::{SocketAddrUse, WasiSocketsCtx};

use crate::network::{Firewall, Protocol, SocketClaim, UdpRules};

/// Returns the context with which to create one socket. Returns `None` if there are too many.
pub(super) fn context(firewall: &Arc<Firewall>) -> Option<WasiSocketsCtx> {
    let claim = firewall.claim_socket()?;
    let rules = Mutex::new(SocketRules { firewall: Arc::clone(firewall), may_listen: false, udp: None, _claim: claim });
    let check = move |address, action| {
        let is_allowed = rules.lock().unwrap_or_else(PoisonError::into_inner).allow(address, action);
        Box::pin(std::future::ready(is_allowed)) as _
    };
    let mut builder = WasiCtxBuilder::new();
    builder.allow_tcp(true).allow_udp(true).socket_addr_check(check);
    Some(builder.build().sockets().clone())
}

/// The rules for one socket.
#[derive(Debug)]
struct SocketRules {
    firewall: Arc<Firewall>,
    /// Whether a TCP socket may listen at the address to which it is bound.
    may_listen: bool,
    /// Set if a UDP socket is bound.
    udp: Option<UdpRules>,
    /// The socket keeps its rules, and so this.
    _claim: SocketClaim,
}

impl SocketRules {
    /// Returns whether the socket may do this. wasmtime-wasi asks before each action, also before those that another implies:
    /// it asks to bind a socket that is not bound before it asks to connect, listen or send.
    fn allow(&mut self, address: SocketAddr, action: SocketAddrUse) -> bool {
        let Self { firewall, may_listen, udp, .. } = self;
        match action {
            SocketAddrUse::TcpBind => {
                *may_listen = firewall.allows_listen(Protocol::Tcp, address);
                *may_listen || firewall.allows_outgoing_bind(Protocol::Tcp, address)
            }
            SocketAddrUse::TcpListen => *may_listen,
            SocketAddrUse::TcpAccept => true,
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
