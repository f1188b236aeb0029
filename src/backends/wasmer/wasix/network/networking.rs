//! What WASIX asks of a network.
//!
//! virtual-net has a firewall of its own (`virtual_net::ruleset`), which is not used: it knows no protocols; its addresses and
//! names go around each other (IPv4 in IPv6 clothes, `0.0.0.0`, a number looked up as a name); it asks for an outgoing
//! rule for each peer that is accepted, and for none where a datagram comes in; and a rule with a name takes the first
//! answer it gets for good.

use std::net::{IpAddr, SocketAddr};
use std::panic::catch_unwind;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use virtual_net::host::LocalNetworking;
use virtual_net::{
    DynVirtualNetworking, IpCidr, IpRoute, NetworkError, Result, StreamSecurity, VirtualIcmpSocket, VirtualNetworking,
    VirtualRawSocket, VirtualTcpBoundSocket, VirtualTcpListener, VirtualTcpSocket, VirtualUdpSocket,
};

use super::firewall::Firewall;
use super::lookup;
use super::tcp::BoundTcp;
use super::udp::GuardedUdp;
use crate::network::{self, NetRule, Protocol};

/// The network of one guest, which does what these rules allow. It takes nothing of the machine's until it is used.
pub(in crate::backends::wasmer) fn network(rules: &[NetRule]) -> DynVirtualNetworking {
    Arc::new(GuardedNetworking { firewall: Arc::new(Firewall::new(rules)), machine: OnceLock::new() })
}

/// The machine's network behind a firewall.
#[derive(Debug)]
struct GuardedNetworking {
    firewall: Arc<Firewall>,
    /// Made when it is first used: it has a thread.
    machine: OnceLock<LocalNetworking>,
}

impl GuardedNetworking {
    fn machine(&self) -> Result<&LocalNetworking> {
        if let Some(machine) = self.machine.get() {
            return Ok(machine);
        }
        // It wants a handle to a tokio runtime, for looking up names only, which we do ourselves.
        let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(|_| NetworkError::IOError)?;
        let entered = runtime.enter();
        // It panics where the system gives it no thread or file, and a guest may have used those up.
        let made = catch_unwind(LocalNetworking::new).map_err(|_| NetworkError::TooManyOpenFiles);
        drop(entered);
        runtime.shutdown_background();
        let made = made?;
        Ok(self.machine.get_or_init(|| made))
    }
}

const DENIED: NetworkError = NetworkError::PermissionDenied;

#[async_trait]
impl VirtualNetworking for GuardedNetworking {
    async fn listen_tcp(
        &self,
        addr: SocketAddr,
        only_v6: bool,
        reuse_port: bool,
        reuse_addr: bool,
    ) -> Result<Box<dyn VirtualTcpListener + Sync>> {
        self.bind_tcp(addr, only_v6, reuse_port, reuse_addr).await?.listen()
    }

    async fn bind_tcp(
        &self,
        addr: SocketAddr,
        only_v6: bool,
        reuse_port: bool,
        reuse_addr: bool,
    ) -> Result<Box<dyn VirtualTcpBoundSocket + Sync>> {
        let may_listen = self.firewall.lets_listen(Protocol::Tcp, addr);
        if !may_listen && !self.firewall.lets_bind_to_reach(Protocol::Tcp, addr) {
            return Err(DENIED);
        }
        // `::` hears IPv4 too unless it is told not to.
        let only_v6 = only_v6 || may_listen && is_any_v6(addr) && !self.firewall.lets_listen_v4(Protocol::Tcp, addr);
        let socket = self.machine()?.bind_tcp(addr, only_v6, reuse_port, reuse_addr).await?;
        Ok(Box::new(BoundTcp { socket, firewall: Arc::clone(&self.firewall), may_listen }))
    }

    async fn bind_udp(
        &self,
        addr: SocketAddr,
        reuse_port: bool,
        reuse_addr: bool,
    ) -> Result<Box<dyn VirtualUdpSocket + Sync>> {
        let may_listen = self.firewall.lets_listen(Protocol::Udp, addr);
        if !may_listen && !self.firewall.lets_bind_to_reach(Protocol::Udp, addr) {
            return Err(DENIED);
        }
        let is_v4 = addr.ip().to_canonical().is_ipv4();
        let hears_v4 = if is_v4 { may_listen } else { self.firewall.lets_listen_v4(Protocol::Udp, addr) };
        let socket = self.machine()?.bind_udp(addr, reuse_port, reuse_addr).await?;
        Ok(Box::new(GuardedUdp::new(socket, Arc::clone(&self.firewall), hears_v4, may_listen && !is_v4)))
    }

    async fn connect_tcp(&self, addr: SocketAddr, peer: SocketAddr) -> Result<Box<dyn VirtualTcpSocket + Sync>> {
        if self.firewall.lets_reach(Protocol::Tcp, peer) {
            self.machine()?.connect_tcp(addr, peer).await
        } else {
            Err(DENIED)
        }
    }

    async fn resolve(&self, host: &str, _port: Option<u16>, dns_server: Option<IpAddr>) -> Result<Vec<IpAddr>> {
        if !self.firewall.allows_any() || dns_server.is_some() {
            return Err(DENIED);
        }
        // What is an address already is found by no name, and not noted.
        if let Ok(address) = host.parse() {
            return Ok(vec![address]);
        }
        let name = network::name(host).ok_or(NetworkError::InvalidInput)?;
        if !self.firewall.lets_resolve(&name) {
            return Err(DENIED);
        }
        let found = lookup::addresses(name.clone()).await?;
        self.firewall.note_found(&name, &found)?;
        Ok(found)
    }

    async fn bind_raw(&self) -> Result<Box<dyn VirtualRawSocket + Sync>> {
        Err(DENIED)
    }

    async fn bind_icmp(&self, _: IpAddr) -> Result<Box<dyn VirtualIcmpSocket + Sync>> {
        Err(DENIED)
    }

    async fn bridge(&self, _: &str, _: &str, _: StreamSecurity) -> Result<()> {
        Err(DENIED)
    }

    async fn unbridge(&self) -> Result<()> {
        Err(DENIED)
    }

    async fn dhcp_acquire(&self) -> Result<Vec<IpAddr>> {
        Err(DENIED)
    }

    async fn ip_add(&self, _: IpAddr, _: u8) -> Result<()> {
        Err(DENIED)
    }

    async fn ip_remove(&self, _: IpAddr) -> Result<()> {
        Err(DENIED)
    }

    async fn ip_clear(&self) -> Result<()> {
        Err(DENIED)
    }

    async fn ip_list(&self) -> Result<Vec<IpCidr>> {
        Err(DENIED)
    }

    async fn mac(&self) -> Result<[u8; 6]> {
        Err(DENIED)
    }

    async fn gateway_set(&self, _: IpAddr) -> Result<()> {
        Err(DENIED)
    }

    async fn route_add(&self, _: IpCidr, _: IpAddr, _: Option<Duration>, _: Option<Duration>) -> Result<()> {
        Err(DENIED)
    }

    async fn route_remove(&self, _: IpAddr) -> Result<()> {
        Err(DENIED)
    }

    async fn route_clear(&self) -> Result<()> {
        Err(DENIED)
    }

    async fn route_list(&self) -> Result<Vec<IpRoute>> {
        Err(DENIED)
    }
}

/// Whether to listen there is to listen at every address, of IPv4 too.
fn is_any_v6(addr: SocketAddr) -> bool {
    addr.is_ipv6() && addr.ip().is_unspecified()
}
