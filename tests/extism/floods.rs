//! Plug-ins that pass large blocks to their host: the time limit stops a host call, and errors quote only the start of a block.

use std::time::Duration;

use wrun::session::InstanceOptions;
use wrun::{ErrorKind, Limits};

use crate::vocabulary::{Guest, assert_contains, on_each, refused};

const FLOODS: &[u8] = br#"(module
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "store_u8" (func $store (param i64 i32)))
  (import "extism:host/env" "error_set" (func $error (param i64)))
  (import "extism:host/env" "config_get" (func $config (param i64) (result i64)))
  (import "extism:host/env" "http_request" (func $http (param i64 i64) (result i64)))
  (func (export "large_block") (result i32) (drop (call $alloc (i64.const 1000000000))) (i32.const 0))
  (func (export "large_error") (result i32) (call $error (call $alloc (i64.const 20000000))) (i32.const 1))
  (func (export "large_name") (result i32) (drop (call $config (call $alloc (i64.const 20000000)))) (i32.const 0))
  (func (export "odd_name") (result i32) (local $name i64)
    (local.set $name (call $alloc (i64.const 60000)))
    (call $store (local.get $name) (i32.const 255))
    (drop (call $config (local.get $name))) (i32.const 0))
  (func (export "large_request") (result i32)
    (drop (call $http (call $alloc (i64.const 20000000)) (i64.const 0))) (i32.const 0)))"#;

#[test]
fn the_time_limit_stops_a_host_call_that_fills_a_large_block() {
    on_each(|config| {
        let config = config.clone().with_interruption();
        let limits = Limits::none().with_time(Duration::from_millis(20));
        let mut guest = Guest::start_with(&config, FLOODS, InstanceOptions::default().with_limits(limits)).unwrap();
        let _ = refused(guest.call("large_block", ""), ErrorKind::Timeout);
    });
}

#[test]
fn errors_quote_only_the_start_of_a_block() {
    on_each(|config| {
        let mut guest = Guest::start(config, FLOODS);
        for (function, kind, part) in [
            ("large_error", ErrorKind::Plugin, "(20000000 bytes)"),
            ("large_name", ErrorKind::Trap, "a name has 20000000 bytes"),
            ("odd_name", ErrorKind::Trap, "is not UTF-8"),
            ("large_request", ErrorKind::Trap, "`http_request`: the request"),
        ] {
            let error = refused(guest.call(function, ""), kind);
            assert_contains(error.message(), &[part]);
            assert!(error.message().len() < 32 << 10, "{function}: {} bytes", error.message().len());
            guest.restart();
        }
    });
}
