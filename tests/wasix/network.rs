//! Network access over loopback follows the rules.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use wrun::{Capabilities, Limits};

use crate::guest::{End, Program, args, fixture, on_each};

/// Returns capabilities with these rules and arguments.
fn granted(rules: &[&str], arguments: &[&str]) -> Capabilities {
    rules.iter().fold(args(arguments), |granted, rule| granted.with_net(rule.parse().unwrap()))
}

/// Finds the errno of a call in the output of the guest.
fn errno(name: &str, stdout: &str) -> u32 {
    let line = stdout.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('=')).map(str::to_owned);
    line.unwrap_or_else(|| panic!("no {name} in {stdout}")).parse().unwrap()
}

/// Starts a server that answers one client with its message in capitals.
fn start_server() -> (u16, thread::JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let answer = move || {
        let (mut client, _) = listener.accept().unwrap();
        let mut bytes = [0; 5];
        client.read_exact(&mut bytes).unwrap();
        client.write_all(&bytes.to_ascii_uppercase()).unwrap();
        bytes.to_vec()
    };
    (port, thread::spawn(answer))
}

#[test]
fn without_rules_nothing_is_reachable() {
    on_each(|config| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port().to_string();
        let program = Program::new(&config, &fixture("sockets.wasm"));
        let connected = program.run(args(&["connect", &port]));
        assert_eq!(connected.end, End::Code(0));
        assert_ne!(errno("connect", &connected.stdout), 0);
        assert_ne!(errno("send", &connected.stdout), 0);
        assert!(listener.accept().is_err(), "the guest connected");

        let denied = program.run_within(Limits::none(), args(&["listen", "0"]));
        assert_ne!(errno("listen", &denied.stdout), 0);
        assert_ne!(errno("accept", &denied.stdout), 0);
        assert_ne!(errno("resolve", &program.run(args(&["resolve"])).stdout), 0);
    });
}

#[test]
fn only_the_allowed_peer_is_reachable() {
    on_each(|config| {
        let program = Program::new(&config, &fixture("sockets.wasm"));
        let (port, answer) = start_server();
        let port = port.to_string();
        let rule = format!("tcp:127.0.0.1:{port}");
        for other in ["udp:127.0.0.1:*", "in:tcp:127.0.0.1:*", "tcp:127.0.0.1:1", "tcp:127.0.0.2:*", "dns"] {
            let refused = program.run(granted(&[other], &["connect", &port]));
            assert_ne!(errno("connect", &refused.stdout), 0, "{other}");
        }
        let reached = program.run(granted(&[&rule], &["connect", &port]));
        assert_eq!((reached.end, errno("connect", &reached.stdout)), (End::Code(0), 0), "{}", reached.stdout);
        assert!(reached.stdout.contains("got HELLO"), "{}", reached.stdout);
        assert_eq!(answer.join().unwrap(), b"hello");
    });
}

#[test]
fn a_guest_that_may_listen_accepts_connections() {
    on_each(|config| {
        let program = Program::new(&config, &fixture("sockets.wasm"));
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let text = port.to_string();
        let refused = program.run(granted(&["tcp:127.0.0.1:*", "udp:*:*"], &["listen", &text]));
        assert_ne!(errno("listen", &refused.stdout), 0);
        let client = thread::spawn(move || {
            let start = Instant::now();
            let mut stream = loop {
                match TcpStream::connect(("127.0.0.1", port)) {
                    Ok(stream) => break stream,
                    Err(error) => assert!(start.elapsed() < Duration::from_secs(20), "{error}"),
                }
                thread::sleep(Duration::from_millis(5));
            };
            stream.write_all(b"hello").unwrap();
            let mut answer = [0; 5];
            stream.read_exact(&mut answer).unwrap();
            answer
        });
        let accepted = program.run(granted(&[&format!("in:tcp:127.0.0.1:{port}")], &["listen", &text]));
        assert_eq!(
            (errno("listen", &accepted.stdout), errno("accept", &accepted.stdout)),
            (0, 0),
            "{}",
            accepted.stdout
        );
        assert_eq!(&client.join().unwrap(), b"HELLO");
    });
}

#[test]
fn names_are_resolved_only_if_a_rule_allows_it() {
    on_each(|config| {
        let program = Program::new(&config, &fixture("sockets.wasm"));
        let resolve = |rule: &str| errno("resolve", &program.run(granted(&[rule], &["resolve"])).stdout);
        assert_eq!(resolve("dns:localhost"), 0);
        assert_eq!(resolve("dns"), 0);
        assert_ne!(resolve("dns:example.org"), 0);
        assert_ne!(resolve("tcp:127.0.0.1:*"), 0);
    });
}
