//! Rules over loopback: allowed traffic passes; denied traffic is refused although a peer is listening.

use std::future::Future;
use std::io::{self, Read as _, Write as _};
use std::mem::MaybeUninit;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;

use virtual_net::{
    DynVirtualNetworking, IpCidr, NetworkError, Result, StreamSecurity, VirtualConnectedSocketExt as _,
    VirtualConnectionlessSocketExt as _, VirtualTcpListenerExt as _, VirtualTcpSocket, VirtualUdpSocket,
};

const ANY: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
const ANY_V6: SocketAddr = SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), 0);
const DENIED: NetworkError = NetworkError::PermissionDenied;

/// The longest wait.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Blocks on a future.
#[track_caller]
fn wait<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(TIMEOUT, future).await }).expect("the future is ready in time")
}

fn network(rules: &[&str]) -> DynVirtualNetworking {
    super::network(&rules.iter().map(|rule| rule.parse().unwrap()).collect::<Vec<_>>())
}

fn at(address: &str) -> SocketAddr {
    address.parse().unwrap()
}

/// Asserts that a result is [`DENIED`].
#[track_caller]
fn denied<T: std::fmt::Debug>(result: Result<T>) {
    assert_eq!(result.unwrap_err(), DENIED);
}

fn connect(guest: &DynVirtualNetworking, to: SocketAddr) -> Result<Box<dyn VirtualTcpSocket + Sync>> {
    wait(guest.connect_tcp(ANY, to))
}

fn bind(guest: &DynVirtualNetworking, to: SocketAddr) -> Result<Box<dyn VirtualUdpSocket + Sync>> {
    wait(guest.bind_udp(to, false, false))
}

fn listen(guest: &DynVirtualNetworking, to: SocketAddr) -> Result<SocketAddr> {
    wait(guest.listen_tcp(to, false, false, false))?.addr_local()
}

/// Creates a TCP server on loopback.
fn server() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// Creates a UDP socket on loopback.
fn peer() -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(TIMEOUT)).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

/// Accepts the connection of a guest, and exchanges text.
#[track_caller]
fn accept_and_exchange(mut guest: Box<dyn VirtualTcpSocket + Sync>, server: &TcpListener) {
    wait(std::future::poll_fn(|cx| guest.poll_write_ready(cx))).unwrap();
    let mut accepted = server.accept().unwrap().0;
    accepted.set_read_timeout(Some(TIMEOUT)).unwrap();
    exchange(&mut *guest, &mut accepted);
}

#[track_caller]
fn exchange(guest: &mut (dyn VirtualTcpSocket + Sync), host: &mut TcpStream) {
    assert_eq!(wait(guest.send(b"ping")), Ok(4));
    let mut received = [0; 4];
    host.read_exact(&mut received).unwrap();
    assert_eq!(&received, b"ping");
    host.write_all(b"pong").unwrap();
    let mut buffer = [MaybeUninit::uninit(); 16];
    assert_eq!(wait(guest.recv(&mut buffer, false)), Ok(4));
}

fn receive(socket: &mut (dyn VirtualUdpSocket + Sync)) -> (usize, SocketAddr) {
    wait(socket.recv_from(&mut [MaybeUninit::uninit(); 64], false)).unwrap()
}

/// Returns whether the machine has IPv6. If not, reports the skipped part of the test, past the harness, which captures the
/// output of tests that pass.
fn has_ipv6() -> bool {
    let has = TcpListener::bind("[::1]:0").is_ok();
    if !has {
        let test = thread::current();
        let _ = writeln!(io::stderr().lock(), "skipped: part of {}: no IPv6 loopback", test.name().unwrap_or("a test"));
    }
    has
}

#[test]
fn without_rules_everything_is_denied() {
    let guest = network(&[]);
    let (_server, address) = server();
    denied(connect(&guest, address));
    denied(listen(&guest, at("127.0.0.1:0")));
    denied(wait(guest.bind_tcp(ANY, false, false, false)));
    denied(bind(&guest, ANY));
    denied(wait(guest.resolve("localhost", None, None)));
    denied(wait(guest.resolve("127.0.0.1", None, None)));
}

#[test]
fn calls_that_no_rule_allows_are_denied() {
    let guest = network(&["*:*", "in:*:*", "dns"]);
    let (ip, cidr) = (Ipv4Addr::LOCALHOST.into(), IpCidr { ip: Ipv4Addr::LOCALHOST.into(), prefix: 8 });
    denied(wait(guest.bind_raw()));
    denied(wait(guest.bind_icmp(ip)));
    denied(wait(guest.bridge("network", "token", StreamSecurity::AnyEncryption)));
    denied(wait(guest.unbridge()));
    denied(wait(guest.dhcp_acquire()));
    denied(wait(guest.ip_add(ip, 8)));
    denied(wait(guest.ip_remove(ip)));
    denied(wait(guest.ip_clear()));
    denied(wait(guest.ip_list()));
    denied(wait(guest.mac()));
    denied(wait(guest.gateway_set(ip)));
    denied(wait(guest.route_add(cidr, ip, None, None)));
    denied(wait(guest.route_remove(ip)));
    denied(wait(guest.route_clear()));
    denied(wait(guest.route_list()));
    denied(wait(guest.resolve("localhost", None, Some(ip))));

    let mut socket = bind(&guest, ANY).unwrap();
    let group = Ipv4Addr::new(224, 0, 0, 251);
    denied(socket.join_multicast_v4(group, Ipv4Addr::UNSPECIFIED));
    denied(socket.join_multicast_v6("ff02::fb".parse().unwrap(), 0));
    denied(socket.set_multicast_ttl_v4(8));
    denied(socket.set_broadcast(true));
    denied(wait(socket.send_to(b"x", (group, 5353).into())));
    denied(wait(socket.send_to(b"x", at("255.255.255.255:9"))));
    denied(bind(&guest, (group, 0).into()));
}

#[test]
fn a_guest_connects_to_allowed_addresses_only() {
    let ((allowed, to), (other, elsewhere)) = (server(), server());
    let guest = network(&[&format!("tcp:{to}")]);
    accept_and_exchange(connect(&guest, to).unwrap(), &allowed);
    denied(connect(&guest, elsewhere));
    denied(connect(&network(&[&format!("udp:{to}")]), to));
    denied(connect(&network(&[&format!("in:{to}")]), to));
    let mut bound = wait(guest.bind_tcp(ANY, false, false, false)).unwrap();
    denied(bound.connect(elsewhere));
    denied(bound.listen());
    accept_and_exchange(bound.connect(to).unwrap(), &allowed);
    other.set_nonblocking(true).unwrap();
    assert!(other.accept().is_err(), "nothing connected to the denied server");
}

#[test]
fn mapped_ipv4_addresses_follow_the_rules_of_ipv4() {
    let (allowed, to) = server();
    let mapped = at(&format!("[::ffff:127.0.0.1]:{}", to.port()));
    denied(connect(&network(&["[::]/0:*"]), mapped));
    denied(connect(&network(&["10.0.0.0/8:*"]), mapped));
    denied(connect(&network(&["10.0.0.0/8:*", "[::]/0:*"]), at(&format!("0.0.0.0:{}", to.port()))));
    denied(listen(&network(&["in:[::]:*"]), at("[::ffff:127.0.0.1]:0")));
    if has_ipv6() {
        accept_and_exchange(connect(&network(&[&to.to_string()]), mapped).unwrap(), &allowed);
    }
}

#[test]
fn a_guest_listens_at_allowed_addresses_only() {
    let guest = network(&["in:tcp:127.0.0.1:0"]);
    denied(listen(&guest, ANY));
    denied(listen(&guest, ANY_V6));
    denied(listen(&guest, at("127.0.0.2:0")));
    denied(wait(guest.bind_tcp(ANY, false, false, false)));
    denied(bind(&guest, at("127.0.0.1:0")));
    let (taken, free) = server();
    drop(taken);
    denied(listen(&guest, free));
    assert_eq!(listen(&network(&[&format!("in:{free}")]), free), Ok(free));

    let mut listener = wait(guest.listen_tcp(at("127.0.0.1:0"), false, false, false)).unwrap();
    let mut client = TcpStream::connect(listener.addr_local().unwrap()).unwrap();
    client.set_read_timeout(Some(TIMEOUT)).unwrap();
    let (mut accepted, from) = wait(listener.accept()).unwrap();
    assert_eq!(from, client.local_addr().unwrap());
    exchange(&mut *accepted, &mut client);
}

#[test]
fn an_unspecified_ipv6_socket_receives_ipv4_only_if_a_rule_allows_it() {
    denied(listen(&network(&["in:127.0.0.1:*"]), ANY_V6));
    denied(listen(&network(&["in:0.0.0.0:0"]), ANY_V6));
    if !has_ipv6() {
        return;
    }
    for (rules, receives_v4) in
        [(&["in:[::]:0"][..], false), (&["in:*:0"], true), (&["in:[::]:0", "in:0.0.0.0:0"], true)]
    {
        let guest = network(rules);
        let listener = wait(guest.listen_tcp(ANY_V6, false, false, false)).unwrap();
        let port = listener.addr_local().unwrap().port();
        assert!(TcpStream::connect(("::1", port)).is_ok(), "{rules:?}");
        assert_eq!(TcpStream::connect(("127.0.0.1", port)).is_ok(), receives_v4, "{rules:?}");

        let mut socket = bind(&guest, ANY_V6).unwrap();
        let port = socket.addr_local().unwrap().port();
        let (v4, _) = peer();
        v4.send_to(b"four", ("127.0.0.1", port)).unwrap();
        UdpSocket::bind("[::1]:0").unwrap().send_to(b"sixsix", ("::1", port)).unwrap();
        assert_eq!(receive(&mut *socket).0, if receives_v4 { 4 } else { 6 }, "{rules:?}");
    }
    let guest = network(&["in:tcp:[::1]:0", "tcp:[::1]:*"]);
    let mut listener = wait(guest.listen_tcp(at("[::1]:0"), false, false, false)).unwrap();
    let mut client = connect(&guest, listener.addr_local().unwrap()).unwrap();
    wait(std::future::poll_fn(|cx| client.poll_write_ready(cx))).unwrap();
    assert!(wait(listener.accept()).is_ok());
}

#[test]
fn datagrams_are_sent_to_and_received_from_allowed_addresses_only() {
    let ((friend, to), (stranger, elsewhere)) = (peer(), peer());
    let guest = network(&[&format!("udp:{to}")]);
    let mut socket = bind(&guest, ANY).unwrap();
    denied(bind(&guest, elsewhere));
    denied(wait(socket.send_to(b"x", elsewhere)));
    denied(wait(socket.send_to(b"x", at("127.0.0.1:0"))));
    assert_eq!(wait(socket.send_to(b"ping", to)), Ok(4));
    let from = friend.recv_from(&mut [0; 16]).unwrap().1;

    // On loopback, datagrams arrive at once.
    stranger.send_to(b"stranger", from).unwrap();
    assert!(socket.poll_read_ready(&mut Context::from_waker(Waker::noop())).is_pending());
    stranger.send_to(b"stranger", from).unwrap();
    friend.send_to(b"pong", from).unwrap();
    assert!(socket.poll_read_ready(&mut Context::from_waker(Waker::noop())).is_ready());
    assert_eq!(receive(&mut *socket), (4, to));
    stranger.send_to(b"stranger", from).unwrap();
    let mut buffer = [MaybeUninit::new(0); 16];
    assert_eq!(socket.try_recv_from(&mut buffer, true), Err(NetworkError::WouldBlock));
    denied(wait(socket.send_to(b"x", elsewhere)));
}

#[test]
fn an_allowed_udp_port_receives_from_anyone_and_answers_them() {
    let ((one, address), (_other, elsewhere)) = (peer(), peer());
    let guest = network(&["in:udp:127.0.0.1:0"]);
    denied(bind(&guest, ANY));
    let mut socket = bind(&guest, at("127.0.0.1:0")).unwrap();
    denied(wait(socket.send_to(b"x", address)));
    one.send_to(b"question", socket.addr_local().unwrap()).unwrap();
    assert_eq!(receive(&mut *socket), (8, address));
    assert_eq!(wait(socket.send_to(b"answer", address)), Ok(6));
    assert_eq!(one.recv_from(&mut [0; 16]).unwrap().0, 6);
    denied(wait(socket.send_to(b"x", elsewhere)));
    let mut another = bind(&guest, at("127.0.0.1:0")).unwrap();
    denied(wait(another.send_to(b"x", address)));
}

#[test]
fn the_number_of_answerable_peers_is_limited() {
    let guest = network(&["in:udp:127.0.0.1:0"]);
    let mut socket = bind(&guest, at("127.0.0.1:0")).unwrap();
    let to = socket.addr_local().unwrap();
    let mut receive_from = |peer: &UdpSocket| {
        peer.send_to(b"x", to).unwrap();
        receive(&mut *socket).1
    };
    // Two sockets are open at a time, so that consecutive addresses differ.
    let first = peer();
    assert_eq!(receive_from(&first.0), first.1);
    let mut seen = std::collections::BTreeSet::new();
    let mut last = peer();
    while seen.len() < 1024 {
        let next = peer();
        seen.insert(receive_from(&next.0));
        last = next;
    }
    denied(wait(socket.send_to(b"x", first.1)));
    assert_eq!(wait(socket.send_to(b"x", last.1)), Ok(1));
}

#[test]
fn resolving_an_allowed_name_allows_its_addresses_for_that_guest() {
    let ((allowed, to), (_other, elsewhere)) = (server(), server());
    let rule = format!("tcp:localhost:{}", to.port());
    let other_rule = format!("tcp:another.invalid:{}", elsewhere.port());
    let (guest, other) = (network(&[&rule, &other_rule]), network(&[&rule]));
    denied(connect(&guest, to));
    let addresses = wait(guest.resolve("LocalHost", Some(80), None)).unwrap();
    assert!(addresses.contains(&to.ip()), "{addresses:?}");
    accept_and_exchange(connect(&guest, to).unwrap(), &allowed);
    denied(connect(&guest, elsewhere));
    denied(connect(&guest, at(&format!("127.0.0.2:{}", to.port()))));
    denied(connect(&other, to));

    denied(wait(guest.resolve("example.org", None, None)));
    denied(wait(network(&["dns:example.org"]).resolve("localhost", None, None)));
    denied(wait(network(&[&to.to_string()]).resolve("localhost", None, None)));
    let resolver = network(&["dns:localhost"]);
    assert!(wait(resolver.resolve("localhost", None, None)).is_ok());
    denied(connect(&resolver, to));
}

#[test]
fn resolving_an_address_does_not_allow_it() {
    let (_server, to) = server();
    let guest = network(&["dns", "localhost:*", "*.localhost:*"]);
    assert_eq!(wait(guest.resolve("127.0.0.1", None, None)), Ok(vec![to.ip()]));
    for name in ["127.1", "2130706433", "0x7f000001", "0x7f.1", "localhost:80", "local host", ""] {
        assert_eq!(wait(guest.resolve(name, None, None)), Err(NetworkError::InvalidInput), "{name}");
    }
    denied(connect(&guest, to));
}
