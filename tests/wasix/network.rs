//! Without a rule, there is no network; with one, there is what it says, over loopback.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use wrun::{Capabilities, Limits};

use crate::guest::{End, Program, args, fixture, on_each};

/// What is granted to a program called with these arguments.
fn granted(rules: &[&str], words: &[&str]) -> Capabilities {
    rules.iter().fold(args(words), |granted, rule| granted.with_net(rule.parse().unwrap()))
}

/// The errno that the guest says it got.
fn errno(name: &str, stdout: &str) -> u32 {
    let line = stdout.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('=')).map(str::to_owned);
    line.unwrap_or_else(|| panic!("no {name} in {stdout}")).parse().unwrap()
}

/// Answers one caller with what it sent, in capitals.
fn answering() -> (u16, thread::JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let answer = move || {
        let (mut caller, _) = listener.accept().unwrap();
        let mut bytes = [0; 5];
        caller.read_exact(&mut bytes).unwrap();
        caller.write_all(&bytes.to_ascii_uppercase()).unwrap();
        bytes.to_vec()
    };
    (port, thread::spawn(answer))
}

#[test]
fn nothing_is_reached_without_a_grant() {
    on_each(|config| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port().to_string();
        let program = Program::new(&config, &fixture("sockets.wasm"));
        let connected = program.run(args(&["connect", &port]));
        assert_eq!(connected.end, End::Code(0));
        assert_ne!(errno("connect", &connected.stdout), 0);
        assert_ne!(errno("send", &connected.stdout), 0);
        assert!(listener.accept().is_err(), "nobody has come");

        let heard = program.run_within(Limits::none(), args(&["listen", "0"]));
        assert_ne!(errno("listen", &heard.stdout), 0);
        assert_ne!(errno("accept", &heard.stdout), 0);
        assert_ne!(errno("resolve", &program.run(args(&["resolve"])).stdout), 0);
    });
}

#[test]
fn a_peer_that_a_rule_names_is_reached_and_no_other() {
    on_each(|config| {
        let program = Program::new(&config, &fixture("sockets.wasm"));
        let (port, answer) = answering();
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
fn who_may_listen_is_called_and_answers() {
    on_each(|config| {
        let program = Program::new(&config, &fixture("sockets.wasm"));
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let text = port.to_string();
        let refused = program.run(granted(&["tcp:127.0.0.1:*", "udp:*:*"], &["listen", &text]));
        assert_ne!(errno("listen", &refused.stdout), 0);
        let caller = thread::spawn(move || {
            let begun = Instant::now();
            let mut stream = loop {
                match TcpStream::connect(("127.0.0.1", port)) {
                    Ok(stream) => break stream,
                    Err(error) => assert!(begun.elapsed() < Duration::from_secs(20), "{error}"),
                }
                thread::sleep(Duration::from_millis(5));
            };
            stream.write_all(b"hello").unwrap();
            let mut answer = [0; 5];
            stream.read_exact(&mut answer).unwrap();
            answer
        });
        let heard = program.run(granted(&[&format!("in:tcp:127.0.0.1:{port}")], &["listen", &text]));
        assert_eq!((errno("listen", &heard.stdout), errno("accept", &heard.stdout)), (0, 0), "{}", heard.stdout);
        assert_eq!(&caller.join().unwrap(), b"HELLO");
    });
}

#[test]
fn names_are_looked_up_where_that_is_granted() {
    on_each(|config| {
        let program = Program::new(&config, &fixture("sockets.wasm"));
        let looked_up = |rule: &str| errno("resolve", &program.run(granted(&[rule], &["resolve"])).stdout);
        assert_eq!(looked_up("dns:localhost"), 0);
        assert_eq!(looked_up("dns"), 0);
        assert_ne!(looked_up("dns:example.org"), 0);
        assert_ne!(looked_up("tcp:127.0.0.1:*"), 0);
    });
}
