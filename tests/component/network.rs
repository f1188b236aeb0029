//! The network rules for `wasi:sockets`. `sockets` tests exchanges that they allow, `http` the rules for `wasi:http`.

use std::net::IpAddr;

use wrun::{Capabilities, ErrorKind, Limits};

use crate::program::{End, PATIENCE, Program, Ran, both, rules};
use crate::vocabulary::{assert_contains, refused};

fn programs() -> Vec<Program> {
    both("sockets.wasm", "sockets3.wasm").collect()
}

/// Asserts that the program ran.
#[track_caller]
fn succeeds(ran: &Ran) {
    assert_eq!(ran.end, End::Code(0), "{ran:?}");
}

/// Asserts that the program failed with this error of the interface.
#[track_caller]
fn fails(ran: &Ran, error: &str) {
    assert_eq!(ran.end, End::Code(1), "{ran:?}");
    assert_contains(&ran.stderr, &[error]);
}

#[test]
fn without_rules_sockets_are_created_and_reach_nothing() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let patience = Limits::none().with_time(PATIENCE);
    for program in programs() {
        for action in ["connect", "listen", "bind", "send", "receive", "bind-udp"] {
            let ran = program.run_within(patience, &[action, "127.0.0.1", &port], Capabilities::none());
            fails(&ran, "access-denied");
        }
        for address in ["127.0.0.1", "::1"] {
            for action in ["bind", "bind-udp"] {
                let ran = program.run(&[action, address, "0"], Capabilities::none());
                fails(&ran, "bind: access-denied");
            }
        }
    }
    assert!(listener.accept().is_err(), "a program connected");
}

#[test]
fn an_outgoing_rule_lets_the_system_choose_a_port() {
    for program in programs() {
        for (rule, action) in [("tcp:127.0.0.1:80", "bind"), ("udp:127.0.0.1:80", "bind-udp")] {
            succeeds(&program.run(&[action, "127.0.0.1", "0"], rules(&[rule])));
            fails(&program.run(&[action, "127.0.0.1", "80"], rules(&[rule])), "bind: access-denied");
        }
        fails(&program.run(&["bind", "127.0.0.1", "0"], rules(&["udp:127.0.0.1:80"])), "bind: access-denied");
        fails(&program.run(&["bind-udp", "127.0.0.1", "0"], rules(&["tcp:127.0.0.1:80"])), "bind: access-denied");
    }
}

#[test]
fn listening_needs_a_rule_for_the_requested_port_and_address() {
    for program in programs() {
        let bind = |address, rule| program.run(&["bind", address, "0"], rules(&[rule]));
        succeeds(&bind("127.0.0.1", "in:127.0.0.1:0"));
        succeeds(&bind("0.0.0.0", "in:0.0.0.0:0"));
        fails(&bind("0.0.0.0", "in:127.0.0.1:0"), "access-denied");
        fails(&bind("127.0.0.1", "in:[::1]:0"), "access-denied");
        fails(&bind("127.0.0.1", "in:127.0.0.1:1-65535"), "access-denied");
        // Bound to a port that the system chose, but only to reach out.
        let granted = rules(&["127.0.0.1:80", "in:127.0.0.1:1-65535"]);
        fails(&program.run(&["listen", "127.0.0.1", "0"], granted), "listen: access-denied");
    }
}

#[test]
fn names_are_looked_up_by_rules() {
    for program in programs() {
        for rule in ["dns", "dns:localhost", "localhost:1", "*:1"] {
            let ran = program.run(&["lookup", "localhost"], rules(&[rule]));
            succeeds(&ran);
            let is_local = |line: &str| line.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
            assert!(ran.stdout.lines().any(is_local), "{ran:?}");
        }
        for rule in ["dns:example.org", "127.0.0.1:1", "in:*:1", "*.localhost:1"] {
            fails(&program.run(&["lookup", "localhost"], rules(&[rule])), "access-denied");
        }
        for name in ["127.0.0.1", "localhost"] {
            let ran = program.run(&["lookup", name], rules(&[]));
            fails(&ran, "access-denied");
            assert_eq!(ran.stdout, "", "{program}");
        }
    }
}

#[test]
fn an_address_is_its_own_result_and_other_texts_are_invalid() {
    for program in programs() {
        for address in ["192.0.2.1", "2001:db8::1"] {
            let found = program.run(&["lookup", address], rules(&["dns"])).stdout;
            assert_eq!(found.trim_end().parse::<IpAddr>(), address.parse(), "{program}");
        }
        for text in ["127.1", "0x7f000001", "a b", "[::1]", "localhost:80"] {
            fails(&program.run(&["lookup", text], rules(&["dns"])), "invalid-argument");
        }
    }
}

#[test]
fn network_and_a_seed_exclude_each_other() {
    let program = Program::new("sockets.wasm");
    let error = refused(program.start(Limits::none(), &[], rules(&["dns"]).with_seed(1)), ErrorKind::Grant);
    assert_contains(error.message(), &["not deterministic"]);
}

#[cfg(not(feature = "http"))]
#[test]
fn without_an_http_client_no_rule_allows_a_request() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let authority = listener.local_addr().unwrap().to_string();
    for program in both("http.wasm", "http3.wasm") {
        for granted in [&[][..], &["*:*", "dns"]] {
            fails(&program.run(&["send", "GET", "http", &authority, "/"], rules(granted)), "HTTP-request-denied");
        }
    }
    assert!(listener.accept().is_err(), "a program connected");
}
