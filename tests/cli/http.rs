//! HTTP requests of Extism plug-ins and components: grants, manifests, environment and signals.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

use serde_json::{Value, json};

use crate::process::{self, Running};
use crate::vocabulary::{on_each_engine, run, wrun};

const PLUGIN: &str = "fixtures/extism/plugin.wasm";

/// Starts a server that passes each client to `answer`, and returns its port.
fn serve(answer: impl Fn(&mut TcpStream) + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || listener.incoming().for_each(|client| answer(&mut client.unwrap())));
    port
}

/// Starts a server that answers each request with `hello`.
fn greeting() -> u16 {
    serve(|client| {
        let _ = client.read(&mut [0; 4096]);
        let _ = client.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    })
}

fn request(port: u16) -> String {
    json!({"url": format!("http://127.0.0.1:{port}/")}).to_string()
}

#[test]
fn a_rule_grants_a_server_and_the_hint_names_it() {
    let port = greeting();
    let (request, rule) = (request(port), format!("127.0.0.1:{port}"));
    on_each_engine(|engine| {
        let denied = run(&["-r", engine, PLUGIN, "request", &request]);
        denied.fails(134, &["is denied: no network rule allows", &format!("hint: use `--net {rule}`")]);
        let raw = run(&["-r", engine, "-o", "raw", "--net", &rule, PLUGIN, "request", &request]);
        assert_eq!((raw.code, &*raw.stdout), (0, "hello"), "{raw:?}");
        let small =
            run(&["-r", engine, "--net", &rule, "--timeout", "1m", "--memory", "2MiB", PLUGIN, "request", &request]);
        small.prints("\"hello\"\n");
    });
}

#[test]
fn a_manifest_grants_its_hosts_and_limits_responses() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("manifest.json");
    let port = greeting();
    let request = request(port);
    on_each_engine(|engine| {
        let with = |manifest: &Value| {
            fs::write(&path, manifest.to_string()).unwrap();
            run(&["-r", engine, "--policy", path.to_str().unwrap(), PLUGIN, "request", &request])
        };
        with(&json!({"allowed_hosts": ["127.0.0.1"]})).prints("\"hello\"\n");
        with(&json!({"allowed_hosts": ["*"], "memory": {"max_http_response_bytes": 5}})).prints("\"hello\"\n");
        with(&json!({"allowed_hosts": ["*"], "memory": {"max_http_response_bytes": 4}}))
            .fails(134, &["more than 4 bytes"]);
        with(&json!({"allowed_hosts": ["127.0.0.2", "localhost"]})).fails(134, &["is denied"]);
    });
}

#[test]
fn proxies_of_the_environment_are_not_used() {
    let (port, proxy) = (greeting(), format!("http://127.0.0.1:{}", serve(|_| panic!("the proxy was used"))));
    let rule = format!("127.0.0.1:{port}");
    on_each_engine(|engine| {
        let mut command = wrun();
        for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"] {
            command.env(name, &proxy);
        }
        let output = command.args(["-r", engine, "--net", &rule, PLUGIN, "request", &request(port)]).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "\"hello\"\n", "{output:?}");
    });
}

#[test]
fn a_signal_ends_a_request_that_is_not_answered() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (request, rule) = (request(port), format!("127.0.0.1:{port}"));
    on_each_engine(|engine| {
        let args = ["-r", engine, "--net", &rule, PLUGIN, "request", &request];
        let running = Running::start_captured(&mut process::wrun(&args));
        let client = listener.accept().unwrap();
        running.signal("INT");
        running.end().ended_silently_by(libc::SIGINT);
        drop(client);
    });
}

#[cfg(feature = "components")]
#[test]
fn a_signal_ends_the_request_of_a_component() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let authority = listener.local_addr().unwrap().to_string();
    let program = "fixtures/component/programs/http.wasm";
    let args = ["--net", &authority, program, "--", "send", "GET", "http", &authority, "/"];
    let running = Running::start_captured(&mut process::wrun(&args));
    let client = listener.accept().unwrap();
    running.signal("INT");
    running.end().ended_silently_by(libc::SIGINT);
    drop(client);
}
