//! The limit for epoll's subscriptions and events, and the time limit of `epoll_wait`.

use std::time::Duration;

use wrun::{Capabilities, ErrorKind, Limits, RuntimeConfig, WasmInstance};

use crate::guest::{Program, on_each};

const ADD: i32 = 1;
const DELETE: i32 = 2;
const MODIFY: i32 = 3;
const NOSPC: i32 = 51;
/// The maximum number of subscriptions and of events together.
const MAX: i32 = 65_536;

/// The event at 64 is `EPOLLOUT`, which an event descriptor always has.
const GUEST: &str = r#"(module
    (import "wasix_32v1" "epoll_create" (func $epoll_create (param i32) (result i32)))
    (import "wasix_32v1" "epoll_ctl" (func $epoll_ctl (param i32 i32 i32 i32) (result i32)))
    (import "wasix_32v1" "epoll_wait" (func $epoll_wait (param i32 i32 i32 i64 i32) (result i32)))
    (import "wasix_32v1" "fd_close" (func $fd_close (param i32) (result i32)))
    (import "wasix_32v1" "fd_event" (func $fd_event (param i64 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 64) "\02")
    (func (export "create") (result i32)
        (drop (call $epoll_create (i32.const 0)))
        (i32.load (i32.const 0)))
    (func (export "event") (result i32)
        (drop (call $fd_event (i64.const 0) (i32.const 0) (i32.const 0)))
        (i32.load (i32.const 0)))
    (func (export "close") (param $epoll i32) (result i32)
        (call $fd_close (local.get $epoll)))
    (func $control (export "control") (param $epoll i32) (param $operation i32) (param $event i32) (result i32)
        (call $epoll_ctl (local.get $epoll) (local.get $operation) (local.get $event) (i32.const 64)))
    ;; Changes a subscription up to this many times, and returns how many changes succeeded.
    (func (export "repeat")
            (param $epoll i32) (param $operation i32) (param $event i32) (param $times i32) (result i32)
        (local $done i32)
        (block $end (loop $next
            (br_if $end (i32.eq (local.get $done) (local.get $times)))
            (br_if $end (call $control (local.get $epoll) (local.get $operation) (local.get $event)))
            (local.set $done (i32.add (local.get $done) (i32.const 1)))
            (br $next)))
        (local.get $done))
    ;; Returns the number of events.
    (func (export "wait") (param $epoll i32) (param $room i32) (param $timeout i32) (result i32)
        (drop (call $epoll_wait
            (local.get $epoll) (i32.const 1024) (local.get $room) (i64.extend_i32_s (local.get $timeout)) (i32.const 0)))
        (i32.load (i32.const 0))))"#;

fn call(guest: &mut Box<dyn WasmInstance>, name: &str, args: &[i32]) -> i32 {
    guest.call_simple_function(name, args).unwrap()
}

fn start(config: &RuntimeConfig) -> Box<dyn WasmInstance> {
    let program = Program::new(config, GUEST.as_bytes());
    program.start(Limits::none().with_memory(1 << 20), Capabilities::none()).unwrap()
}

#[test]
fn events_that_are_not_taken_are_bounded() {
    on_each(|config| {
        let mut guest = start(&config);
        let (epoll, event) = (call(&mut guest, "create", &[]), call(&mut guest, "event", &[]));
        assert_eq!(call(&mut guest, "control", &[epoll, ADD, event]), 0);
        // The subscription and its event count too.
        assert_eq!(call(&mut guest, "repeat", &[epoll, MODIFY, event, MAX]), MAX - 2);
        assert_eq!(call(&mut guest, "control", &[epoll, MODIFY, event]), NOSPC);
        assert_eq!(call(&mut guest, "wait", &[epoll, 10, -1]), 1);
        assert_eq!(call(&mut guest, "repeat", &[epoll, MODIFY, event, MAX]), MAX - 1, "the queue does not shrink");
        let (other, event) = (call(&mut guest, "create", &[]), call(&mut guest, "event", &[]));
        assert_eq!(call(&mut guest, "control", &[other, ADD, event]), NOSPC);
    });
}

#[test]
fn subscriptions_are_bounded() {
    const EVENTS: i32 = 256;
    on_each(|config| {
        let mut guest = start(&config);
        let events: Vec<i32> = (0..EVENTS).map(|_| call(&mut guest, "event", &[])).collect();
        let mut last = 0;
        for _ in 0..MAX / (2 * EVENTS) {
            last = call(&mut guest, "create", &[]);
            for event in &events {
                assert_eq!(call(&mut guest, "control", &[last, ADD, *event]), 0);
            }
            assert_eq!(call(&mut guest, "wait", &[last, EVENTS + 1, -1]), EVENTS);
        }
        let more = call(&mut guest, "create", &[]);
        assert_eq!(call(&mut guest, "control", &[more, ADD, events[0]]), NOSPC);
        // Removed subscriptions count until their epoll descriptor is closed.
        for event in &events {
            assert_eq!(call(&mut guest, "control", &[last, DELETE, *event]), 0);
        }
        assert_eq!(call(&mut guest, "control", &[more, ADD, events[0]]), NOSPC);
        assert_eq!(call(&mut guest, "close", &[last]), 0);
        assert_eq!(call(&mut guest, "control", &[more, ADD, events[0]]), 0);
    });
}

#[test]
fn a_program_that_removes_its_subscriptions_is_never_refused() {
    on_each(|config| {
        let mut guest = start(&config);
        let event = call(&mut guest, "event", &[]);
        for _ in 0..MAX {
            let epoll = call(&mut guest, "create", &[]);
            assert_eq!(call(&mut guest, "control", &[epoll, ADD, event]), 0);
            assert_eq!(call(&mut guest, "control", &[epoll, DELETE, event]), 0);
            assert_eq!(call(&mut guest, "close", &[epoll]), 0);
        }
    });
}

#[test]
fn waiting_for_events_ends_at_the_time_limit() {
    on_each(|config| {
        let program = Program::new(&config.with_interruption(), GUEST.as_bytes());
        let limits = Limits::none().with_time(Duration::from_millis(200));
        let mut guest = program.start(limits, Capabilities::none()).unwrap();
        let epoll = call(&mut guest, "create", &[]);
        let error = guest.call_simple_function("wait", &[epoll, 1, -1]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
    });
}
