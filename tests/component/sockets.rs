//! Sockets and name look-ups of real programs follow the network rules, by WASI 0.2 and 0.3.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use wrun::{Captured, Limits};

use crate::program::{End, PATIENCE, Program, both, rules};

fn programs() -> impl Iterator<Item = Program> {
    both("sockets.wasm", "sockets3.wasm")
}

/// Limits for a program that might wait forever.
fn patience() -> Limits {
    Limits::none().with_time(PATIENCE)
}

/// Waits for a connection.
fn accept(listener: &TcpListener) -> TcpStream {
    listener.set_nonblocking(true).unwrap();
    let started = Instant::now();
    let client = loop {
        match listener.accept() {
            Ok((client, _)) => break client,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                assert!(started.elapsed() < PATIENCE, "no connection after a minute");
                thread::sleep(Duration::from_millis(1));
            }
            Err(error) => panic!("{error}"),
        }
    };
    client.set_nonblocking(false).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    client
}

/// Runs a program that prints its port, and returns the result of `talk`, which gets the port.
fn while_it_serves<T>(program: &Program, action: &str, rule: &str, talk: impl FnOnce(u16) -> T) -> (T, End) {
    let stdout = Captured::new();
    thread::scope(|scope| {
        let run = || program.run_to(&stdout, patience(), &[action, "127.0.0.1", "0"], rules(&[rule]));
        let served = scope.spawn(run);
        let port = loop {
            let text = String::from_utf8(stdout.contents()).unwrap();
            if let Some(port) = text.strip_prefix("port ").and_then(|rest| rest.strip_suffix('\n')) {
                break port.parse().unwrap();
            }
            assert!(!served.is_finished(), "{program} printed no port: {text}");
            thread::sleep(Duration::from_millis(1));
        };
        (talk(port), served.join().unwrap().end)
    })
}

#[test]
fn a_granted_peer_answers() {
    for program in programs() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port().to_string();
        let answer = thread::spawn(move || {
            let mut client = accept(&listener);
            let mut bytes = [0; 11];
            client.read_exact(&mut bytes).unwrap();
            client.write_all(&bytes.to_ascii_uppercase()).unwrap();
        });
        let args = ["connect", "127.0.0.1", &*port, "hello there"];
        for other in ["udp:127.0.0.1:*", "in:tcp:127.0.0.1:*", "tcp:127.0.0.1:1", "tcp:127.0.0.2:*", "dns"] {
            let ran = program.run_within(patience(), &args, rules(&[other]));
            assert_eq!((ran.end, &*ran.stderr), (End::Code(1), "connect: access-denied\n"), "{program}: {other}");
        }
        let ran = program.run_within(patience(), &args, rules(&[&format!("tcp:127.0.0.1:{port}")]));
        assert_eq!((ran.end, &*ran.stdout), (End::Code(0), "HELLO THERE\n"), "{program}: {}", ran.stderr);
        answer.join().unwrap();
    }
}

/// Connects to a program that has bound this port and is about to listen.
fn connect(port: u16) -> TcpStream {
    let started = Instant::now();
    loop {
        match TcpStream::connect(("127.0.0.1", port)) {
            Ok(stream) => return stream,
            Err(error) => assert!(started.elapsed() < PATIENCE, "{error}"),
        }
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_program_that_may_listen_accepts_a_connection() {
    for program in programs() {
        let (answer, end) = while_it_serves(&program, "listen", "in:tcp:127.0.0.1:*", |port| {
            let mut peer = connect(port);
            peer.set_read_timeout(Some(PATIENCE)).unwrap();
            peer.write_all(b"back").unwrap();
            peer.shutdown(Shutdown::Write).unwrap();
            let mut answer = String::new();
            peer.read_to_string(&mut answer).unwrap();
            answer
        });
        assert_eq!((&*answer, end), ("back", End::Code(0)), "{program}");
    }
}

/// The maximum number of sockets of a guest that has network rules.
const MAX_SOCKETS: usize = 256;

#[test]
fn connections_count_until_all_of_them_is_dropped() {
    for program in programs() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port().to_string();
        let peer = thread::spawn(move || (0..2 * MAX_SOCKETS).map(|_| accept(&listener)).collect::<Vec<_>>());
        let args = ["hoard", "127.0.0.1", &*port];
        let ran = program.run_within(patience(), &args, rules(&[&format!("tcp:127.0.0.1:{port}")]));
        assert_eq!((ran.end, &*ran.stdout), (End::Code(0), "256\n256\n"), "{program}: {}", ran.stderr);
        peer.join().unwrap();
    }
}

#[test]
fn accepted_connections_count_and_those_beyond_the_limit_are_reset() {
    for program in programs() {
        let (kept, end) = while_it_serves(&program, "serve", "in:tcp:127.0.0.1:*", |port| {
            let send = |byte: u8| {
                let mut peer = connect(port);
                peer.set_read_timeout(Some(PATIENCE)).unwrap();
                let mut answer = [0];
                let answered = peer.write_all(&[byte]).and_then(|()| peer.read_exact(&mut answer));
                (peer, answered.is_ok_and(|()| answer == [byte]))
            };
            assert!((0..MAX_SOCKETS + 44).all(|_| send(b'e').1), "{program}: dropped connections do not count");
            // The socket that listens counts.
            let kept: Vec<_> = (1..MAX_SOCKETS).map(|_| send(b'k')).collect();
            assert!(kept.iter().all(|(_, answered)| *answered), "{program}");
            assert!((0..3).all(|_| !send(b'e').1), "{program}");
            program.runtime().shutdown(PATIENCE);
            kept.len()
        });
        assert_eq!((kept, end), (MAX_SOCKETS - 1, End::Failed(wrun::ErrorKind::ShutDown)), "{program}");
    }
}

#[test]
fn datagrams_pass_between_a_program_and_a_granted_peer() {
    for program in programs() {
        let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = peer.local_addr().unwrap().port().to_string();
        peer.set_read_timeout(Some(PATIENCE)).unwrap();
        let answer = thread::spawn(move || {
            let mut bytes = [0; 64];
            let (length, from) = peer.recv_from(&mut bytes).unwrap();
            peer.send_to(&bytes[..length].to_ascii_uppercase(), from).unwrap();
        });
        let args = ["send", "127.0.0.1", &*port, "hello"];
        let ran = program.run_within(patience(), &args, rules(&[&format!("udp:127.0.0.1:{port}")]));
        assert_eq!(ran.end, End::Code(0), "{program}: {}", ran.stderr);
        assert!(ran.stdout.ends_with("HELLO\n"), "{program}: {}", ran.stdout);
        answer.join().unwrap();

        let (answer, end) = while_it_serves(&program, "receive", "in:udp:127.0.0.1:*", |port| {
            let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
            peer.set_read_timeout(Some(PATIENCE)).unwrap();
            peer.send_to(b"back", ("127.0.0.1", port)).unwrap();
            let mut bytes = [0; 64];
            let length = peer.recv(&mut bytes).unwrap();
            bytes[..length].to_vec()
        });
        assert_eq!((&*answer, end), (&b"back"[..], End::Code(0)), "{program}");
    }
}

#[test]
fn a_time_limit_ends_a_wait_for_a_connection() {
    for program in programs() {
        let limits = Limits::none().with_time(Duration::from_millis(200));
        for action in ["listen", "receive"] {
            let ran = program.run_within(limits, &[action, "127.0.0.1", "0"], rules(&["in:127.0.0.1:*"]));
            assert_eq!(ran.end, End::Failed(wrun::ErrorKind::Timeout), "{program}: {action}: {}", ran.stderr);
        }
    }
}
