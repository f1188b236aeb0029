//! Input, output, errors, configuration, variables and HTTP.

use wrun::extism::PluginOptions;
use wrun::session::{Completion, InstanceOptions, Session};
use wrun::{Abi, Callable, ErrorKind, InstanceState, RuntimeConfig, TextOptions, Trap};

use crate::vocabulary::{Guest, PLUGIN, assert_contains, on_each, refused};

#[test]
fn a_function_takes_input_and_returns_output() {
    on_each(|config| {
        let mut guest = Guest::start(config, PLUGIN);
        assert_eq!(guest.call("count_vowels", "Hello, World!").unwrap(), r#"{"count": 3}"#);
        assert_eq!(guest.call("count_vowels", "").unwrap(), r#"{"count": 0}"#);
        for length in [0, 1, 7, 8, 9, 1000, 100_000] {
            let bytes: Vec<u8> = (0..length).map(|n: u32| n.to_le_bytes()[0]).collect();
            assert_eq!(guest.call_bytes("echo", &bytes).unwrap(), bytes);
        }
    });
}

#[test]
fn the_error_message_of_a_plug_in_is_the_error_and_its_instance_lives_on() {
    on_each(|config| {
        let mut guest = Guest::start(config, PLUGIN);
        let error = refused(guest.call("fail", "not today"), ErrorKind::Plugin);
        assert_eq!(error.message(), "not today");
        let error = refused(guest.call("code", "ignored"), ErrorKind::Plugin);
        assert_contains(error.message(), &["returned 3"]);
        assert_eq!(guest.call("echo", "still here").unwrap(), "still here");
        let long = "é".repeat(100_000);
        let error = refused(guest.call("fail", &long), ErrorKind::Plugin);
        assert!(error.message().len() < 5000, "{}", error.message().len());
        let error = refused(guest.call_bytes("fail", b"\x1b[2J\xff"), ErrorKind::Plugin);
        assert_eq!(error.message(), "\\u{1b}[2J\u{fffd}");
    });
}

#[test]
fn a_trap_contains_the_message_that_was_set_before() {
    on_each(|config| {
        let mut guest = Guest::start(config, PLUGIN);
        let error = refused(guest.call("abort", ""), ErrorKind::Trap);
        assert_eq!(error.trap_code(), Some(Trap::Unreachable));
        assert_contains(error.message(), &["aborted on purpose"]);
    });
}

#[test]
fn configuration_is_read_by_name() {
    let plugin =
        PluginOptions::default().with_config("greeting", "hello").with_config("ünï", "cödé").with_config("no", "");
    on_each(|config| {
        let options = InstanceOptions::default().with_plugin(plugin.clone());
        let mut guest = Guest::start_with(config, PLUGIN, options).unwrap();
        assert_eq!(guest.call("config", "greeting").unwrap(), "hello");
        assert_eq!(guest.call("config", "ünï").unwrap(), "cödé");
        for unknown in ["other", "no", "greeting ", ""] {
            assert_eq!(refused(guest.call("config", unknown), ErrorKind::Plugin).message(), "there is no such value");
        }
    });
}

#[test]
fn variables_live_as_long_as_the_instance() {
    on_each(|config| {
        let mut guest = Guest::start(config, PLUGIN);
        assert_eq!(guest.call("remember", "a").unwrap(), "a");
        assert_eq!(guest.call("remember", "bc").unwrap(), "abc");
        guest.call("forget", "").unwrap();
        assert_eq!(guest.call("remember", "d").unwrap(), "d");
        guest.restart();
        assert_eq!(guest.call("remember", "e").unwrap(), "e");
    });
}

#[test]
fn http_requests_are_denied_without_a_rule() {
    on_each(|config| {
        let mut guest = Guest::start(config, PLUGIN);
        let error =
            refused(guest.call("request", r#"{"url": "https://example.com/", "method": "GET"}"#), ErrorKind::Trap);
        assert_eq!(error.trap_code(), Some(Trap::Host));
        assert_contains(error.message(), &["`http_request`", "`https://example.com/` is denied"]);
        guest.restart();
        let error = refused(guest.call("request", "[]"), ErrorKind::Trap);
        assert_contains(error.message(), &["the request is not valid"]);
    });
}

#[test]
fn no_level_is_logged_without_a_subscriber() {
    on_each(|config| {
        let mut guest = Guest::start(config, PLUGIN);
        assert_eq!(guest.call("log", "a message\nof two lines").unwrap(), "-");
    });
}

#[test]
fn a_message_is_freed_even_if_its_level_is_not_logged() {
    // Returns the length of the message after the call.
    let wat = br#"(module
        (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
        (import "extism:host/env" "length" (func $length (param i64) (result i64)))
        (import "extism:host/env" "log_info" (func $log (param i64)))
        (func (export "log") (result i32) (local $message i64)
          (local.set $message (call $alloc (i64.const 8)))
          (call $log (local.get $message))
          (i32.wrap_i64 (call $length (local.get $message)))))"#;
    on_each(|config| {
        assert_eq!(Guest::start(config, wat).call("log", "").unwrap(), "");
    });
}

#[test]
fn only_functions_of_a_plug_in_are_called_as_such() {
    let plugin = br#"(module (import "extism:host/env" "input_length" (func (result i64)))
        (func (export "takes_input") (result i32) (i32.const 0))
        (func (export "_initialize"))
        (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))"#;
    let config = RuntimeConfig::default();
    let session = Session::open(&config, plugin, None).unwrap();
    let find = |name: &str, abi: Option<Abi>| {
        let mut options = TextOptions::default();
        options.abi = abi;
        Callable::find_with(session.info(), Some(name), &options)
    };
    assert_eq!(find("takes_input", None).unwrap().param_count(), 1);
    assert_eq!(find("_initialize", None).unwrap().param_count(), 0);
    assert_eq!(find("add", None).unwrap().param_count(), 2);
    assert_eq!(find("takes_input", Some(Abi::Extism)).unwrap().param_count(), 1);
    assert_contains(
        refused(find("add", Some(Abi::Extism)), ErrorKind::UnsupportedFeature).message(),
        &["`add", "() -> i32"],
    );
    refused(find("nothing", Some(Abi::Extism)), ErrorKind::UnknownExport);
    let other = Session::open(&config, br#"(module (func (export "f")))"#, None).unwrap();
    let mut options = TextOptions::default();
    options.abi = Some(Abi::Extism);
    let error = refused(Callable::find_with(other.info(), Some("f"), &options), ErrorKind::UnsupportedFeature);
    assert_contains(error.message(), &["extism:host/env"]);
}

#[test]
fn imports_that_no_host_of_extism_has_are_named() {
    on_each(|config| {
        for (import, part) in [
            (r#""extism:host/env" "teleport" (func)"#, "teleport"),
            (r#""extism:host/env" "alloc" (func (param i32) (result i32))"#, "the host provides func (i64) -> i64"),
            (r#""extism:host/env" "memory" (memory 1)"#, "memory 1"),
            (r#""extism:host/user" "mine" (func (param i64) (result i64))"#, "mine"),
        ] {
            let wat = format!(r#"(module (import "extism:host/env" "free" (func (param i64))) (import {import}))"#);
            let started = Guest::start_with(config, wat.as_bytes(), InstanceOptions::default());
            let error = refused(started.map(drop), ErrorKind::Unlinkable);
            assert_contains(error.message(), &[part]);
        }
    });
}

#[test]
fn a_plug_in_that_exits_with_0_has_succeeded() {
    let wat = br#"(module
        (import "extism:host/env" "input_offset" (func $offset (result i64)))
        (import "extism:host/env" "input_length" (func $length (result i64)))
        (import "extism:host/env" "output_set" (func $output (param i64 i64)))
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1)
        (func (export "done") (call $output (call $offset) (call $length)) (call $exit (i32.const 0)))
        (func (export "failed") (call $exit (i32.const 3))))"#;
    on_each(|config| {
        let mut guest = Guest::start(config, wat);
        assert_eq!(guest.call("done", "last words").unwrap(), "last words");
        let state = guest.instance.instance();
        let wrun::CodeInstance::Module(instance) = state else { panic!("not a module") };
        assert_eq!(instance.state(), InstanceState::Exited(0));
        guest.restart();
        assert_eq!(guest.complete("failed", b"").unwrap(), Completion::Exited(3));
    });
}
