//! HTTP requests of plug-ins follow the network rules and the limits.

use std::io::{Read as _, Write as _};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use wrun::extism::PluginOptions;
use wrun::session::InstanceOptions;
use wrun::{Capabilities, Error, ErrorKind, Limits, RuntimeConfig, Trap};

use crate::server::Server;
use crate::vocabulary::{Guest, assert_contains, on_each, refused};

/// A plug-in whose functions make the request that the input describes. `get` and `post` return the body of the response, `headers` its
/// headers, `status` its status code. `post` sends the value `body` of the configuration. `last_status` makes no request.
const PLUGIN: &[u8] = br#"(module
  (import "extism:host/env" "input_offset" (func $input (result i64)))
  (import "extism:host/env" "length" (func $length (param i64) (result i64)))
  (import "extism:host/env" "output_set" (func $output_set (param i64 i64)))
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "store_u8" (func $store (param i64 i32)))
  (import "extism:host/env" "config_get" (func $config (param i64) (result i64)))
  (import "extism:host/env" "http_request" (func $request (param i64 i64) (result i64)))
  (import "extism:host/env" "http_status_code" (func $status (result i32)))
  (import "extism:host/env" "http_headers" (func $headers (result i64)))
  (func $output (param $block i64) (result i32)
    (call $output_set (local.get $block) (call $length (local.get $block)))
    (i32.const 0))
  (func $digit (param $at i64) (param $value i32)
    (call $store (local.get $at) (i32.add (i32.const 48) (i32.rem_u (local.get $value) (i32.const 10)))))
  (func (export "get") (result i32) (call $output (call $request (call $input) (i64.const 0))))
  (func (export "post") (result i32) (local $name i64)
    (local.set $name (call $alloc (i64.const 4)))
    (call $store (local.get $name) (i32.const 98))
    (call $store (i64.add (local.get $name) (i64.const 1)) (i32.const 111))
    (call $store (i64.add (local.get $name) (i64.const 2)) (i32.const 100))
    (call $store (i64.add (local.get $name) (i64.const 3)) (i32.const 121))
    (call $output (call $request (call $input) (call $config (local.get $name)))))
  (func (export "headers") (result i32)
    (drop (call $request (call $input) (i64.const 0)))
    (call $output (call $headers)))
  (func (export "status") (result i32)
    (drop (call $request (call $input) (i64.const 0)))
    (call $last_status))
  (func $last_status (export "last_status") (result i32) (local $digits i64)
    (local.set $digits (call $alloc (i64.const 3)))
    (call $digit (local.get $digits) (i32.div_u (call $status) (i32.const 100)))
    (call $digit (i64.add (local.get $digits) (i64.const 1)) (i32.div_u (call $status) (i32.const 10)))
    (call $digit (i64.add (local.get $digits) (i64.const 2)) (call $status))
    (call $output (local.get $digits))))"#;

/// A response that is complete.
fn response(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nX-Test: yes\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

/// A response that redirects.
fn redirect(status: &str, location: &str) -> String {
    format!("HTTP/1.1 {status}\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n")
}

/// Options that grant these rules.
fn granted(rules: &[&str]) -> InstanceOptions {
    let none = Capabilities::none();
    let rules = rules.iter().fold(none, |granted, rule| granted.with_net(rule.parse().unwrap()));
    InstanceOptions::default().with_capabilities(rules)
}

/// Starts the plug-in with these rules.
fn start(config: &RuntimeConfig, rules: &[&str]) -> Guest {
    Guest::start_with(config, PLUGIN, granted(rules)).unwrap()
}

/// The input for a request without headers.
fn at(url: &str) -> String {
    json!({ "url": url }).to_string()
}

/// Asserts that a function of a new plug-in ends with a trap whose message has these parts.
fn fails(config: &RuntimeConfig, options: InstanceOptions, url: &str, parts: &[&str]) -> Error {
    let mut guest = Guest::start_with(config, PLUGIN, options).unwrap();
    let error = refused(guest.call("get", &at(url)), ErrorKind::Trap);
    assert_eq!(error.trap_code(), Some(Trap::Host));
    assert_contains(error.message(), parts);
    error
}

#[test]
fn a_request_is_sent_and_the_response_is_read() {
    let server = Server::start(|request, client| client.write_all(response("200 OK", request).as_bytes()));
    let input = json!({"url": server.url("/a?b=c#d"), "method": "put", "headers": {"X-Key": "value", "Accept": "a/b"}});
    on_each(|config| {
        let options = PluginOptions::default().with_config("body", "the body");
        let mut guest = Guest::start_with(config, PLUGIN, granted(&[&server.rule()]).with_plugin(options)).unwrap();
        let sent = guest.call("post", &input.to_string()).unwrap();
        let (head, body) = sent.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("PUT /a?b=c HTTP/1.1\r\n") && body == "the body", "{sent}");
        let host = format!("host: 127.0.0.1:{}", server.port);
        let agent = format!("user-agent: wrun/{}", env!("CARGO_PKG_VERSION"));
        for line in [&*host, &agent, "x-key: value", "accept: a/b", "content-length: 8", "connection: close"] {
            assert_eq!(head.lines().filter(|found| *found == line).count(), 1, "{line} in {head}");
        }
        let got = guest.call("get", &at(&server.url("/"))).unwrap();
        assert!(got.starts_with("GET / HTTP/1.1\r\n") && !got.contains("content-length"), "{got}");
    });
}

#[test]
fn status_and_headers_are_those_of_the_last_request_of_the_call() {
    let server = Server::answering(response("404 Not Found", "no"));
    on_each(|config| {
        let mut guest = start(config, &[&server.rule()]);
        assert_eq!(guest.call("last_status", "").unwrap(), "000");
        assert_eq!(guest.call("status", &at(&server.url("/"))).unwrap(), "404");
        assert_eq!(guest.call("last_status", "").unwrap(), "000");
        assert_eq!(guest.call("get", &at(&server.url("/"))).unwrap(), "no");
        let headers: Value = serde_json::from_str(&guest.call("headers", &at(&server.url("/"))).unwrap()).unwrap();
        assert_eq!(headers, json!({"content-length": "2", "x-test": "yes"}));
    });
}

#[test]
fn a_body_may_be_empty_chunked_or_end_with_the_connection() {
    for (response, body) in [
        ("HTTP/1.1 204 No Content\r\n\r\n", ""),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ""),
        (
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
            "abcde",
        ),
        ("HTTP/1.0 200 OK\r\n\r\nto the end", "to the end"),
    ] {
        let server = Server::answering(response);
        on_each(|config| {
            assert_eq!(start(config, &[&server.rule()]).call("get", &at(&server.url("/"))).unwrap(), body);
        });
    }
}

#[test]
fn what_no_rule_allows_is_denied_before_a_connection() {
    let server = Server::answering(response("200 OK", "secret"));
    let (port, other) = (server.port, format!("127.0.0.1:{}", server.port ^ 1));
    let (udp, listen) = (format!("udp:127.0.0.1:{port}"), format!("in:127.0.0.1:{port}"));
    on_each(|config| {
        for rules in [&[][..], &[&*other], &[&*udp], &[&*listen], &["dns"], &["example.org:*"], &["127.0.0.2:*"]] {
            let error =
                fails(config, granted(rules), &server.url("/x"), &["`http_request`", "is denied", &server.url("/x")]);
            assert_eq!(error.hints(), [format!("use `--net 127.0.0.1:{port}`")]);
        }
        for url in [
            format!("http://localhost:{port}/"),
            format!("http://[::1]:{port}/"),
            format!("http://2130706434:{port}/"),
            format!("http://0x7f.2:{port}/"),
            format!("https://127.0.0.2:{port}/"),
        ] {
            fails(config, granted(&[&server.rule()]), &url, &["is denied: no network rule allows"]);
        }
    });
    assert_eq!(server.requests(), [""; 0]);
}

#[test]
fn a_rule_with_a_name_allows_the_addresses_of_the_name_only() {
    let server = Server::answering(response("200 OK", "found"));
    let by_name = format!("http://localhost:{}/", server.port);
    let rule = format!("localhost:{}", server.port);
    on_each(|config| {
        fails(config, granted(&[&rule]), &server.url("/"), &["is denied"]);
        assert_eq!(start(config, &[&rule]).call("get", &at(&by_name)).unwrap(), "found");
        let mut guest = start(config, &["dns:localhost", &server.rule()]);
        assert_eq!(guest.call("get", &at(&by_name)).unwrap(), "found");
        fails(config, granted(&["dns:localhost"]), &by_name, &["is denied"]);
    });
}

#[test]
fn redirects_are_followed_and_each_one_is_checked() {
    let other = Server::start(|request, client| client.write_all(response("200 OK", request).as_bytes()));
    let to = other.url("/other");
    let server = Server::start(move |request, client| {
        let path = request.split(' ').nth(1).unwrap_or_default();
        let answer = match path {
            "/relative" => redirect("302 Found", "/here"),
            "/again" => redirect("301 Moved Permanently", "/again"),
            "/other" => redirect("307 Temporary Redirect", &to),
            "/name" => redirect("302 Found", &to.replace("127.0.0.1", "localhost")),
            "/file" => redirect("302 Found", "file:///etc/passwd"),
            "/user" => redirect("302 Found", &to.replace("127.0.0.1", "user:secret@127.0.0.1")),
            "/nowhere" => "HTTP/1.1 302 Found\r\nContent-Length: 7\r\n\r\nnowhere".to_owned(),
            _ => response("200 OK", request),
        };
        client.write_all(answer.as_bytes())
    });
    let with_secret = json!({"url": server.url("/other"), "method": "POST", "headers": {"Authorization": "secret"}});
    on_each(|config| {
        let here = start(config, &[&server.rule()]).call("get", &at(&server.url("/relative"))).unwrap();
        assert!(here.starts_with("GET /here HTTP/1.1\r\n"), "{here}");
        let body = start(config, &[&server.rule()]).call("get", &at(&server.url("/nowhere"))).unwrap();
        assert_eq!(body, "nowhere");
        for (path, part) in [
            ("/again", "more than 10 redirects"),
            ("/other", "is denied"),
            ("/name", "is denied"),
            ("/file", "only http and https"),
            ("/user", "`authorization`"),
        ] {
            fails(config, granted(&[&server.rule()]), &server.url(path), &[part]);
        }
        assert_eq!(other.requests(), [""; 0], "a redirect evaded the rules");
    });
    on_each(|config| {
        let options = granted(&[&server.rule(), &other.rule()]);
        let options = options.with_plugin(PluginOptions::default().with_config("body", "kept"));
        let mut guest = Guest::start_with(config, PLUGIN, options).unwrap();
        let sent = guest.call("post", &with_secret.to_string()).unwrap();
        assert!(sent.starts_with("POST /other HTTP/1.1\r\n") && sent.ends_with("\r\n\r\nkept"), "{sent}");
        assert!(!sent.contains("secret") && sent.contains(&format!("host: 127.0.0.1:{}\r\n", other.port)), "{sent}");
    });
}

/// Sends a response without an end until the client is gone.
fn endless(start: &'static str, piece: &'static [u8]) -> Server {
    Server::start(move |_, client| {
        client.write_all(start.as_bytes())?;
        loop {
            client.write_all(piece)?;
        }
    })
}

#[test]
fn a_large_response_is_refused_before_it_is_read() {
    let announced = Server::start(|_, client| {
        client.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n")?;
        client.read_to_end(&mut Vec::new()).map(drop)
    });
    let closes = endless("HTTP/1.1 200 OK\r\n\r\n", &[b'x'; 4096]);
    let chunked = endless("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"6\r\nabcdef\r\n");
    let limited = PluginOptions::default().with_max_response_bytes(100_000);
    on_each(|config| {
        for server in [&announced, &closes, &chunked] {
            let options = granted(&[&server.rule()]).with_plugin(limited.clone());
            fails(config, options, &server.url("/"), &["the response has more than 100000 bytes"]);
        }
        fails(config, granted(&[&announced.rule()]), &announced.url("/"), &["more than 52428800 bytes"]);
        let exact = Server::answering(response("200 OK", &"x".repeat(100_000)));
        let options = granted(&[&exact.rule()]).with_plugin(limited.clone());
        let mut guest = Guest::start_with(config, PLUGIN, options).unwrap();
        assert_eq!(guest.call("get", &at(&exact.url("/"))).unwrap().len(), 100_000);
    });
}

#[test]
fn the_memory_limit_covers_requests_and_responses() {
    let server = endless("HTTP/1.1 200 OK\r\n\r\n", &[b'x'; 4096]);
    let quiet = Server::answering(response("200 OK", ""));
    on_each(|config| {
        let limits = Limits::none().with_memory(4 << 20);
        let options = granted(&[&server.rule(), &quiet.rule()]).with_limits(limits);
        let error = fails(config, options.clone(), &server.url("/"), &["no memory for", "of the response"]);
        assert!(error.limit_exceeded().is_some_and(|exceeded| exceeded.attempted <= 5 << 20), "{error:?}");
        let body = PluginOptions::default().with_config("body", "x".repeat(3 << 20));
        let mut guest = Guest::start_with(config, PLUGIN, options.with_plugin(body)).unwrap();
        let error = refused(guest.call("post", &at(&quiet.url("/"))), ErrorKind::Trap);
        assert_contains(error.message(), &["no memory for 3145728 bytes of the request"]);
    });
    assert_eq!(quiet.requests(), [""; 0]);
}

#[test]
fn the_time_limit_ends_a_request() {
    let silent = Server::start(|_, client| client.read_to_end(&mut Vec::new()).map(drop));
    let drip = |start: &'static str, piece: &'static [u8]| {
        Server::start(move |_, client| {
            client.write_all(start.as_bytes())?;
            loop {
                client.write_all(piece)?;
                thread::sleep(Duration::from_millis(5));
            }
        })
    };
    let head = drip("HTTP/1.1 200 OK\r\nX-Drip: ", b"x");
    let body = drip("HTTP/1.1 200 OK\r\n\r\n", b"x");
    let informational = drip("", b"HTTP/1.1 103 Early Hints\r\n\r\n");
    on_each(|config| {
        for server in [&silent, &head, &body, &informational] {
            let options = granted(&[&server.rule()]).with_limits(Limits::none().with_time(Duration::from_millis(100)));
            let mut guest = Guest::start_with(&config.clone().with_interruption(), PLUGIN, options).unwrap();
            let _ = refused(guest.call("get", &at(&server.url("/"))), ErrorKind::Timeout);
        }
    });
}

#[test]
fn an_invalid_response_is_an_error() {
    let long = format!("HTTP/1.1 200 OK\r\nX-Long: {}\r\n\r\n", "x".repeat(70_000));
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(1000));
    for response in [
        "",
        "hello",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\na\0b: c\r\n\r\n",
        &long,
        &many,
    ] {
        let server = Server::answering(response);
        on_each(|config| {
            drop(fails(config, granted(&[&server.rule()]), &server.url("/"), &["`http_request`", "the request to"]));
        });
    }
    let large = format!("HTTP/1.1 200 OK\r\nX-Large: {}\r\nContent-Length: 2\r\n\r\nok", "x".repeat(65_000));
    let server = Server::answering(large);
    on_each(|config| {
        assert_eq!(start(config, &[&server.rule()]).call("get", &at(&server.url("/"))).unwrap(), "ok");
    });
}

#[test]
fn a_server_without_tls_and_a_closed_port_are_errors() {
    let server = Server::answering("HTTP/1.1 400 Bad Request\r\n\r\n");
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    on_each(|config| {
        let url = server.url("/").replace("http:", "https:");
        fails(config, granted(&[&server.rule()]), &url, &["cannot connect to `127.0.0.1:"]);
        let error =
            fails(config, granted(&["127.0.0.1:*"]), &format!("http://127.0.0.1:{closed}/"), &["cannot connect"]);
        assert_eq!(error.hints(), [""; 0]);
    });
}

#[test]
fn a_plug_in_can_be_called_and_dropped_in_an_asynchronous_task() {
    let server = Server::answering(response("200 OK", "body"));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    on_each(|config| {
        let mut guest = start(config, &[&server.rule()]);
        let url = server.url("/");
        runtime.block_on(async move { assert_eq!(guest.call("get", &at(&url)).unwrap(), "body") });
    });
}

#[test]
fn rules_together_with_a_seed_are_refused() {
    on_each(|config| {
        let mut options = granted(&["127.0.0.1:80"]);
        options.capabilities.seed = Some(0);
        let error = refused(Guest::start_with(config, PLUGIN, options).map(drop), ErrorKind::Grant);
        assert_contains(error.message(), &["not deterministic"]);
    });
}
