//! The network as WASIX uses it.
//!
//! The firewall of virtual-net (`virtual_net::ruleset`) is not used. It does not distinguish protocols; IPv4-mapped addresses,
//! `0.0.0.0` and numbers resolved as names bypass its rules; accepting a connection needs an outgoing rule, while receiving a
//! datagram needs none; and a rule with a name keeps only the addresses of its first lookup.

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

use super::tcp::BoundTcp;
use super::udp::GuardedUdp;
use crate::network::{Firewall, LookupError, NetRule, Protocol, UdpRules, look_up};

/// Creates the network of one guest with these rules. It opens no sockets and starts no threads until it is used.
pub(in crate::backends::wasmer) fn network(rules: &[NetRule]) -> DynVirtualNetworking {
    Arc::new(GuardedNetworking { firewall: Arc::new(Firewall::new(rules)), host: OnceLock::new() })
}

/// The host's network behind a firewall.
#[derive(Debug)]
struct GuardedNetworking {
    firewall: Arc<Firewall>,
    /// Created on first use, since it starts a thread.
    host: OnceLock<LocalNetworking>,
}

impl GuardedNetworking {
    fn host(&self) -> Result<&LocalNetworking> {
        if let Some(host) = self.host.get() {
            return Ok(host);
        }
        // `LocalNetworking` needs a handle to a tokio runtime, but only to resolve names, which `look_up` does instead.
        let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(|_| NetworkError::IOError)?;
        let entered = runtime.enter();
        // It panics if it cannot spawn a thread or open a file, for example because the guest has used all of them.
        let created = catch_unwind(LocalNetworking::new).map_err(|_| NetworkError::TooManyOpenFiles);
        drop(entered);
        runtime.shutdown_background();
        let created = created?;
        Ok(self.host.get_or_init(|| created))
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
        let may_listen = self.firewall.allows_listen(Protocol::Tcp, addr);
        if !may_listen && !self.firewall.allows_outgoing_bind(Protocol::Tcp, addr) {
            return Err(DENIED);
        }
        // A socket at `::` also receives IPv4 unless it is restricted to IPv6.
        let only_v6 = only_v6 || may_listen && is_any_v6(addr) && !self.firewall.allows_listen_v4(Protocol::Tcp, addr);
        let socket = self.host()?.bind_tcp(addr, only_v6, reuse_port, reuse_addr).await?;
        Ok(Box::new(BoundTcp { socket, firewall: Arc::clone(&self.firewall), may_listen }))
    }

    async fn bind_udp(
        &self,
        addr: SocketAddr,
        reuse_port: bool,
        reuse_addr: bool,
    ) -> Result<Box<dyn VirtualUdpSocket + Sync>> {
        let rules = UdpRules::bind(&self.firewall, addr).ok_or(DENIED)?;
        let socket = self.host()?.bind_udp(addr, reuse_port, reuse_addr).await?;
        Ok(Box::new(GuardedUdp::new(socket, rules)))
    }

    async fn connect_tcp(&self, addr: SocketAddr, peer: SocketAddr) -> Result<Box<dyn VirtualTcpSocket + Sync>> {
        if self.firewall.allows_destination(Protocol::Tcp, peer) {
            self.host()?.connect_tcp(addr, peer).await
        } else {
            Err(DENIED)
        }
    }

    async fn resolve(&self, host: &str, _port: Option<u16>, dns_server: Option<IpAddr>) -> Result<Vec<IpAddr>> {
        if dns_server.is_some() {
            return Err(DENIED);
        }
        look_up(Arc::clone(&self.firewall), host.to_owned()).await.map_err(|error| match error {
            LookupError::Denied => DENIED,
            LookupError::Invalid => NetworkError::InvalidInput,
            LookupError::NotFound => NetworkError::AddressNotAvailable,
            LookupError::TooMany => NetworkError::InsufficientMemory,
        })
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

/// Returns whether this is the unspecified IPv6 address.
fn is_any_v6(addr: SocketAddr) -> bool {
    addr.is_ipv6() && addr.ip().is_unspecified()
}
