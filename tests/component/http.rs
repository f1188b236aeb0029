//! Requests by `wasi:http` 0.2 and 0.3.

use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use wrun::{Capabilities, Captured, ErrorKind, Limits};

use crate::program::{End, PATIENCE, Program, Ran, both, rules};
use crate::server::Server;

fn programs() -> impl Iterator<Item = Program> {
    both("http.wasm", "http3.wasm")
}

/// Limits for a program that might wait forever.
fn patience() -> Limits {
    Limits::none().with_time(PATIENCE)
}

/// A response that is complete.
fn response(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nX-Test: yes\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

/// Sends a request to the server of the rule, with these options.
fn send(program: &Program, method: &str, server: &Server, path: &str, options: &[&str]) -> Ran {
    let authority = server.rule();
    let args = [&["send", method, "http", &authority, path], options].concat();
    program.run_within(patience(), &args, rules(&[&authority]))
}

/// Gets `/` from a server with these rules.
fn get(program: &Program, scheme: &str, authority: &str, granted: Capabilities) -> Ran {
    program.run_within(patience(), &["send", "GET", scheme, authority, "/"], granted)
}

/// Asserts that the program printed this.
#[track_caller]
fn prints(ran: &Ran, text: &str) {
    assert_eq!((ran.end, &*ran.stdout), (End::Code(0), text), "{ran:?}");
}

/// Asserts that the request failed with this error of the interface.
#[track_caller]
fn fails(ran: &Ran, error: &str) {
    assert_eq!((ran.end, &*ran.stderr), (End::Code(1), &*format!("{error}\n")), "{ran:?}");
}

#[test]
fn a_request_is_sent_and_the_response_is_read() {
    let server = Server::start(|request, client| client.write_all(response("201 Created", request).as_bytes()));
    for program in programs() {
        let ran = send(&program, "GET", &server, "/a?b=c", &["header", "x-key", "value"]);
        let head = ran.stdout.strip_prefix("status 201\nx-test: yes\ncontent-length: ").unwrap();
        let sent = head.split_once("\n\n").unwrap().1;
        assert!(sent.starts_with("GET /a?b=c HTTP/1.1\r\n"), "{program}: {sent}");
        let mut lines: Vec<_> = sent.lines().skip(1).filter(|line| !line.is_empty()).collect();
        lines.sort_unstable();
        // No other header is added.
        assert_eq!(lines, [&*format!("host: {}", server.rule()), "x-key: value"], "{program}");
    }
}

#[test]
fn a_body_and_headers_are_sent() {
    let server = Server::start(|request, client| {
        let body = request.split_once("\r\n\r\n").unwrap_or_default().1;
        let start: String = body.chars().take(16).collect();
        client.write_all(response("200 OK", &format!("{} {start}", body.len())).as_bytes())
    });
    for program in programs() {
        for (options, body) in [
            (["content-length", "24", "body", "the body of this request"], "24 the body of this"),
            (["content-length", "1000000", "fill", "1000000"], "1000000 0123456789abcde\n"),
        ] {
            let ran = send(&program, "POST", &server, "/", &[&["header"], &options[..]].concat());
            assert!(ran.stdout.ends_with(&format!("\n\n{body}")), "{program}: {ran:?}");
        }
        let short = send(&program, "POST", &server, "/", &["header", "content-length", "9", "body", "short"]);
        fails(&short, "HTTP-request-body-size");
    }
}

#[test]
fn a_body_of_unknown_length_is_chunked_and_may_have_trailers() {
    let server = Server::start(|request, client| {
        client.write_all(response("200 OK", request.split_once("\r\n\r\n").unwrap().1).as_bytes())
    });
    for program in programs() {
        let options = ["header", "trailer", "x-sum", "body", "hello", "trailer", "x-sum", "7"];
        let ran = send(&program, "POST", &server, "/", &options);
        assert!(ran.stdout.ends_with("\n\n5\r\nhello\r\n0\r\nx-sum: 7\r\n\r\n"), "{program}: {ran:?}");
    }
}

#[test]
fn a_response_may_be_empty_chunked_with_trailers_or_end_with_the_connection() {
    for (response, printed) in [
        ("HTTP/1.1 204 No Content\r\n\r\n", "status 204\n\n"),
        ("HTTP/1.0 200 OK\r\nA: b\r\n\r\nto the end", "status 200\na: b\n\nto the end"),
        (
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
             3\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 7\r\n\r\n",
            "status 200\n\nabcde\nx-sum: 7\n",
        ),
        // Redirects are not followed.
        (
            "HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n",
            "status 302\nlocation: /x\ncontent-length: 0\n\n",
        ),
    ] {
        let server = Server::answering(response);
        for program in programs() {
            prints(&send(&program, "GET", &server, "/", &[]), printed);
        }
    }
}

#[test]
fn headers_that_concern_the_connection_are_forbidden() {
    let server = Server::answering("HTTP/1.1 200 OK\r\nKeep-Alive: x\r\nContent-Length: 0\r\n\r\n");
    for program in programs() {
        for name in ["host", "connection", "transfer-encoding", "upgrade", "proxy-authorization"] {
            fails(&send(&program, "GET", &server, "/", &["header", name, "x"]), &format!("{name}: forbidden"));
        }
        prints(&send(&program, "GET", &server, "/", &[]), "status 200\ncontent-length: 0\n\n");
    }
}

#[test]
fn what_no_rule_allows_is_denied_before_a_connection() {
    let server = Server::answering(response("200 OK", "secret"));
    let port = server.port;
    let (udp, listen) = (format!("udp:127.0.0.1:{port}"), format!("in:127.0.0.1:{port}"));
    let other = format!("127.0.0.1:{}", port ^ 1);
    for program in programs() {
        for granted in [&[][..], &[&*other], &[&*udp], &[&*listen], &["dns"], &["example.org:*"], &["127.0.0.2:*"]] {
            fails(&get(&program, "http", &server.rule(), rules(granted)), "HTTP-request-denied");
        }
        for server in [format!("localhost:{port}"), format!("[::1]:{port}"), format!("0x7f.2:{port}")] {
            fails(&get(&program, "http", &server, rules(&[&format!("127.0.0.1:{port}")])), "HTTP-request-denied");
        }
        fails(&get(&program, "http", &format!("user@{}", server.rule()), rules(&["*:*"])), "HTTP-request-URI-invalid");
    }
    assert_eq!(server.requests(), [""; 0]);
}

#[test]
fn a_rule_with_a_name_allows_the_addresses_of_the_name_only() {
    let server = Server::answering(response("200 OK", "found"));
    let by_name = format!("localhost:{}", server.port);
    for program in programs() {
        fails(&get(&program, "http", &server.rule(), rules(&[&by_name])), "HTTP-request-denied");
        fails(&get(&program, "http", &by_name, rules(&["dns:localhost"])), "HTTP-request-denied");
        for granted in [&[&*by_name][..], &["dns:localhost", &server.rule()]] {
            let ran = get(&program, "http", &by_name, rules(granted));
            assert!(ran.stdout.ends_with("\n\nfound"), "{program}: {ran:?}");
        }
    }
}

#[test]
fn a_closed_port_and_a_server_without_tls_are_errors() {
    let server = Server::answering("HTTP/1.1 400 Bad Request\r\n\r\n");
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    for program in programs() {
        fails(&get(&program, "http", &closed, rules(&[&closed])), "connection-refused");
        fails(&get(&program, "https", &server.rule(), rules(&[&server.rule()])), "TLS-protocol-error");
    }
}

#[test]
fn an_invalid_response_is_an_error() {
    let long = format!("HTTP/1.1 200 OK\r\nX-Long: {}\r\n\r\n", "x".repeat(70_000));
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(101));
    let empty = format!("HTTP/1.1 200 OK\r\n{}\r\n", "a:\r\n".repeat(99));
    let nearly_empty = format!("HTTP/1.1 200 OK\r\na: b\r\n{}\r\n", "a:\r\n".repeat(99));
    let trailer =
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\na: {}\r\n\r\n", "x".repeat(20_000));
    for (response, error) in [
        ("", "HTTP-response-incomplete"),
        ("HTTP/1.1 200 OK\r\n", "HTTP-response-incomplete"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", "HTTP-response-incomplete"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", "HTTP-response-incomplete"),
        ("hello", "HTTP-protocol-error"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "HTTP-protocol-error"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "HTTP-protocol-error"),
        (&trailer, "HTTP-protocol-error"),
        (&long, "HTTP-response-header-section-size"),
        (&empty, "HTTP-response-header-section-size"),
        (&nearly_empty, "HTTP-response-header-section-size"),
        (&many, "HTTP-response-header-section-size"),
    ] {
        let server = Server::answering(response);
        for program in programs() {
            fails(&send(&program, "GET", &server, "/", &[]), error);
        }
    }
    let large = format!("HTTP/1.1 200 OK\r\nX-Large: {}\r\nContent-Length: 0\r\n\r\n", "x".repeat(65_000));
    let server = Server::answering(large);
    for program in programs() {
        assert_eq!(send(&program, "GET", &server, "/", &[]).stdout.len(), 65_040, "{program}");
    }
}

/// A server that sends this, and then waits until the client is gone, which it tells.
fn stalling(start: &'static str) -> (Server, mpsc::Receiver<()>) {
    let (gone, told) = mpsc::channel();
    let server = Server::start(move |_, client| {
        client.write_all(start.as_bytes())?;
        let read = client.read_to_end(&mut Vec::new());
        gone.send(()).unwrap();
        read.map(drop)
    });
    (server, told)
}

/// A listener that never accepts, so TLS does not begin, and its address.
fn deaf() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

#[test]
fn timeouts_of_a_request_end_it() {
    let (silent, gone) = stalling("");
    let (started, left) = stalling("HTTP/1.1 200 OK\r\n\r\npart");
    let (_listener, deaf) = deaf();
    for program in programs() {
        fails(&send(&program, "GET", &silent, "/", &["first", "50"]), "connection-read-timeout");
        gone.recv_timeout(PATIENCE).unwrap();
        let ran = send(&program, "GET", &started, "/", &["between", "50"]);
        fails(&ran, "connection-read-timeout");
        assert_eq!(ran.stdout, "status 200\n\npart", "{program}");
        left.recv_timeout(PATIENCE).unwrap();
        let args = ["send", "GET", "https", &deaf, "/", "connect", "50"];
        fails(&program.run_within(patience(), &args, rules(&[&deaf])), "connection-timeout");
    }
}

/// A server that sends `start`, and then this piece again and again until the client is gone.
fn endless(start: &'static str, piece: &'static [u8], pause: Duration) -> Server {
    Server::start(move |_, client| {
        client.write_all(start.as_bytes())?;
        loop {
            client.write_all(piece)?;
            thread::sleep(pause);
        }
    })
}

#[test]
fn the_time_limit_ends_a_request() {
    const PAUSE: Duration = Duration::from_millis(5);
    let silent = Server::start(|_, client| client.read_to_end(&mut Vec::new()).map(drop));
    let head = endless("HTTP/1.1 200 OK\r\nX-Drip: ", b"x", PAUSE);
    let body = endless("HTTP/1.1 200 OK\r\n\r\n", b"x", PAUSE);
    let informational = endless("", b"HTTP/1.1 103 Early Hints\r\n\r\n", PAUSE);
    let fast = endless("HTTP/1.1 200 OK\r\n\r\n", &[b'x'; 4096], Duration::ZERO);
    let sink = Server::start(|_, client| io::copy(client, &mut io::sink()).map(drop));
    let (_listener, deaf) = deaf();
    let limits = Limits::none().with_time(Duration::from_millis(100));
    for program in programs() {
        let ends = |server: &Server, method, options: &[&str]| {
            let authority = server.rule();
            let args = [&["send", method, "http", &authority, "/"], options].concat();
            let ran = program.run_within(limits, &args, rules(&[&authority]));
            assert_eq!(ran.end, End::Failed(ErrorKind::Timeout), "{program}");
        };
        for server in [&silent, &head, &body, &informational, &fast] {
            ends(server, "GET", &[]);
        }
        ends(&sink, "POST", &["fill", "1000000000000"]);
        let ran = program.run_within(limits, &["send", "GET", "https", &deaf, "/"], rules(&[&deaf]));
        assert_eq!(ran.end, End::Failed(ErrorKind::Timeout), "{program}");
    }
}

#[cfg(feature = "wasi-p3")]
#[test]
fn the_time_limit_ends_a_copy_of_a_body_within_the_host() {
    let fast = endless("HTTP/1.1 200 OK\r\n\r\n", &[b'x'; 4096], Duration::ZERO);
    let program = Program::new("http3.wasm");
    let limits = Limits::none().with_time(Duration::from_millis(100));
    let ran = program.run_within(limits, &["send", "GET", "http", &fast.rule(), "/", "pipe"], rules(&[&fast.rule()]));
    assert_eq!(ran.end, End::Failed(ErrorKind::Timeout));
}

#[test]
fn requests_at_a_time_are_limited_and_end_with_the_program() {
    let (open, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (counted, highest) = (Arc::clone(&open), Arc::clone(&most));
    let server = Server::start(move |request, client: &mut TcpStream| {
        if request.is_empty() {
            return Ok(());
        }
        highest.fetch_max(counted.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        let read = client.read_to_end(&mut Vec::new());
        counted.fetch_sub(1, Ordering::SeqCst);
        read.map(drop)
    });
    let authority = server.rule();
    let program = Program::new("http.wasm");
    let args = ["start", "1000", "744", "http", &authority, "/"];
    fails(&program.run_within(patience(), &args, rules(&[&authority])), "connection-limit-reached");
    assert!(most.load(Ordering::SeqCst) <= 256);
    let started = Instant::now();
    while open.load(Ordering::SeqCst) > 0 {
        assert!(started.elapsed() < PATIENCE, "a request goes on without its program");
        thread::sleep(Duration::from_millis(1));
    }
    // The whole table of handles.
    let args = ["start", "8000", "7744", "http", &authority, "/"];
    fails(&program.run_within(patience(), &args, rules(&[&authority])), "connection-limit-reached");
}

#[test]
fn a_response_counts_as_a_socket_until_it_is_dropped() {
    let server = endless("HTTP/1.1 200 OK\r\n\r\n", &[b'x'; 4096], Duration::ZERO);
    let authority = server.rule();
    let program = Program::new("http.wasm");
    let ran = program.run_within(patience(), &["hold", "300", "http", &authority, "/"], rules(&[&authority]));
    fails(&ran, "connection-limit-reached");
    assert_eq!(ran.stdout, "256 responses\n");
    let ran = program.run_within(patience(), &["drop", "300", "http", &authority, "/"], rules(&[&authority]));
    prints(&ran, "300 responses\n");
    // A byte of the body keeps the buffer of its connection.
    let ran = program.run_within(patience(), &["copy", "300", "http", &authority, "/"], rules(&[&authority]));
    fails(&ran, "connection-limit-reached");
    assert_eq!(ran.stdout, "256 responses\n");
}

#[test]
fn the_memory_limit_covers_the_headers_of_responses() {
    let large = format!("HTTP/1.1 200 OK\r\nX-Large: {}\r\nContent-Length: 0\r\n\r\n", "x".repeat(30_000));
    let server = Server::answering(large);
    let authority = server.rule();
    let program = Program::new("http.wasm");
    let limits = patience().with_memory(4 << 20);
    let run = |action, count| {
        let stdout = Captured::new();
        let ran = program.run_to(&stdout, limits, &[action, count, "http", &authority, "/"], rules(&[&authority]));
        (ran.end, ran.stderr, ran.stdout)
    };
    let (end, error, kept) = run("keep", "200");
    assert_eq!((end, &*error), (End::Code(1), "HTTP-response-header-section-size\n"));
    let kept: usize = kept.split(' ').next().unwrap().parse().unwrap();
    assert!((100..=138).contains(&kept), "{kept}");
    assert_eq!(run("drop", "200"), (End::Code(0), String::new(), "200 responses\n".to_owned()));
}

#[test]
fn a_certificate_of_an_unknown_authority_is_an_error() {
    use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(&include_bytes!("../../fixtures/tls/server-key.der")[..]));
    let certificate = CertificateDer::from(&include_bytes!("../../fixtures/tls/server.der")[..]);
    let builder = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let config = Arc::new(builder.with_single_cert(vec![certificate], key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let authority = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for client in listener.incoming() {
            let mut session = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            // The client refuses the certificate.
            let _ = session.complete_io(&mut client.unwrap());
        }
    });
    for program in programs() {
        fails(&get(&program, "https", &authority, rules(&[&authority])), "TLS-certificate-error");
    }
}
