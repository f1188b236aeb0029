//! Asynchronous components that never end, or that break the rules of tasks.
#![cfg(feature = "wasi-p3")]

use std::thread;
use std::time::{Duration, Instant};

use wrun::{ErrorKind, InstanceState, Limits, Trap};

use crate::vocabulary::{Engine, assert_contains, call, refused, trapped};

/// Far longer than any test takes.
const LONG: Duration = Duration::from_mins(10);

/// The code of a callback that gives other tasks a turn.
const YIELD: &str = "(i32.const 1)";
const EXIT: &str = "(i32.const 0)";

/// A component whose asynchronous functions have these bodies: `callback` is entered again by its callback, `stackful` is not.
fn tasks(first: &str, callback: &str, stackful: &str) -> String {
    format!(
        r#"(component
            (import "wasi:clocks/monotonic-clock@0.3.0" (instance $clock
                (export "wait-for" (func async (param "how-long" u64)))))
            (core module $libc (memory (export "memory") 1))
            (core instance $libc (instantiate $libc))
            (core func $return (canon task.return))
            (core func $new-set (canon waitable-set.new))
            (core func $join (canon waitable.join))
            (core func $wait (canon waitable-set.wait (memory $libc "memory")))
            (core func $yield (canon thread.yield))
            (core func $block (canon lower (func $clock "wait-for")))
            (core func $start (canon lower (func $clock "wait-for") async (memory $libc "memory")))
            (core func $backpressure (canon backpressure.inc))
            (core module $m
                (import "" "return" (func $return))
                (import "" "new-set" (func $new-set (result i32)))
                (import "" "join" (func $join (param i32 i32)))
                (import "" "wait" (func $wait (param i32 i32) (result i32)))
                (import "" "yield" (func $yield (result i32)))
                (import "" "block" (func $block (param i64)))
                (import "" "start" (func $start (param i64) (result i32)))
                (import "" "backpressure" (func $backpressure))
                (func $start-long (result i32) (i32.shr_u (call $start (i64.const 1000000000000000)) (i32.const 4)))
                (func (export "first") (result i32) {first})
                (func (export "callback") (param i32 i32 i32) (result i32) {callback})
                (func (export "stackful") {stackful}))
            (core instance $i (instantiate $m (with "" (instance
                (export "return" (func $return)) (export "new-set" (func $new-set)) (export "join" (func $join))
                (export "wait" (func $wait)) (export "yield" (func $yield)) (export "block" (func $block))
                (export "start" (func $start)) (export "backpressure" (func $backpressure))))))
            (func (export "callback") async
                (canon lift (core func $i "first") async (callback (func $i "callback"))))
            (func (export "stackful") async (canon lift (core func $i "stackful") async)))"#
    )
}

fn with_callback(first: &str, callback: &str) -> String {
    tasks(first, callback, "")
}

fn stackful(body: &str) -> String {
    tasks(EXIT, EXIT, body)
}

/// Bodies of functions that do not end.
fn endless() -> Vec<(&'static str, &'static str, String)> {
    let wait = "(local $set i32) (local.set $set (call $new-set)) (call $join (call $start-long) (local.get $set))";
    vec![
        ("yields", "callback", with_callback(YIELD, YIELD)),
        ("spins in a callback", "callback", with_callback(YIELD, "(loop $l (br $l)) (unreachable)")),
        ("spins", "callback", with_callback("(loop $l (br $l)) (unreachable)", EXIT)),
        ("yields on its stack", "stackful", stackful("(loop $l (drop (call $yield)) (br $l))")),
        ("sleeps", "stackful", stackful("(call $block (i64.const 1000000000000000))")),
        ("waits", "stackful", stackful(&format!("{wait} (drop (call $wait (local.get $set) (i32.const 0)))"))),
        (
            "waits for its callback",
            "callback",
            with_callback(&format!("{wait} (i32.or (i32.const 2) (i32.shl (local.get $set) (i32.const 4)))"), EXIT),
        ),
        (
            "yields after it returned",
            "callback",
            with_callback(&format!("(call $return) {YIELD}"), "(loop $l (br $l)) (unreachable)"),
        ),
    ]
}

#[test]
fn a_time_limit_ends_every_task() {
    let engine = Engine::metered();
    for (what, name, wat) in endless() {
        let limits = Limits::none().with_time(Duration::from_millis(50));
        let mut instance = engine.start_within(limits, &wat).expect("it starts");
        let result = call(instance.as_mut(), name, &[]);
        if what == "yields after it returned" {
            // The call may end as soon as the task has returned; then the rest never runs.
            assert!(result.is_ok() || instance.state() == InstanceState::Crashed, "{what}");
            continue;
        }
        let error = result.err().unwrap_or_else(|| panic!("the task that {what} ended"));
        assert_eq!((error.kind(), instance.state()), (ErrorKind::Timeout, InstanceState::Crashed), "{what}: {error}");
    }
}

#[test]
fn a_request_stops_every_task() {
    let engine = Engine::metered();
    for (what, name, wat) in endless() {
        if what == "yields after it returned" {
            continue;
        }
        let mut instance = engine.start(&wat);
        let control = instance.control();
        thread::scope(|scope| {
            scope.spawn(|| {
                while control.state() != InstanceState::Running {
                    thread::yield_now();
                }
                // Also while it waits.
                thread::sleep(Duration::from_millis(10));
                control.pause().expect("it is interruptible");
                thread::sleep(Duration::from_millis(10));
                control.resume().expect("it is interruptible");
                while !control.interrupt().expect("it is interruptible") {}
            });
            let error =
                call(instance.as_mut(), name, &[]).err().unwrap_or_else(|| panic!("the task that {what} ended"));
            assert_eq!(error.kind(), ErrorKind::Interrupted, "{what}: {error}");
        });
    }
}

#[test]
fn fuel_ends_a_task_that_computes_or_yields() {
    let engine = Engine::metered();
    for (what, name, wat) in endless() {
        if !(what.starts_with("yields") || what.starts_with("spins")) || what == "yields after it returned" {
            continue;
        }
        let mut instance = engine.start_within(Limits::none().with_fuel(10_000), &wat).expect("it starts");
        let error = call(instance.as_mut(), name, &[]).err().unwrap_or_else(|| panic!("the task that {what} ended"));
        assert_eq!(error.kind(), ErrorKind::OutOfFuel, "{what}: {error}");
    }
}

#[test]
fn a_task_returns_once() {
    let engine = Engine::metered();
    let cases = [
        ("callback", with_callback(EXIT, EXIT)),
        ("callback", with_callback(&format!("(call $return) (call $return) {EXIT}"), EXIT)),
        ("stackful", stackful("")),
        ("stackful", stackful("(call $return) (call $return)")),
        // A code that does not exist, a set that does not exist.
        ("callback", with_callback("(i32.const 15)", EXIT)),
        ("callback", with_callback("(i32.const 0xff2)", EXIT)),
        ("stackful", stackful("(drop (call $wait (i32.const 77) (i32.const 0)))")),
        ("stackful", stackful("(call $join (i32.const 77) (call $new-set))")),
        // An event that does not fit the memory.
        ("stackful", stackful("(drop (call $wait (call $new-set) (i32.const -4)))")),
    ];
    for (name, wat) in cases {
        let mut instance = engine.start_within(Limits::none().with_time(LONG), &wat).expect("it starts");
        let error = call(instance.as_mut(), name, &[]).err().unwrap_or_else(|| panic!("succeeded: {wat}"));
        assert_eq!((error.kind(), instance.state()), (ErrorKind::Trap, InstanceState::Crashed), "{wat}: {error}");
    }
}

#[test]
fn a_task_may_return_while_a_subtask_is_pending() {
    let engine = Engine::metered();
    let wat = stackful("(drop (call $start-long)) (call $return)");
    let mut instance = engine.start(&wat);
    let began = Instant::now();
    call(instance.as_mut(), "stackful", &[]).expect("it returned");
    assert!(began.elapsed() < LONG, "the subtask takes days");
    // The instance still takes calls.
    call(instance.as_mut(), "stackful", &[]).expect("it returned");
}

#[test]
fn a_component_that_takes_no_more_calls_is_stopped() {
    let engine = Engine::metered();
    let wat = stackful("(call $backpressure) (call $return)");
    let limits = Limits::none().with_time(Duration::from_millis(50));
    let mut instance = engine.start_within(limits, &wat).expect("it starts");
    call(instance.as_mut(), "stackful", &[]).expect("it returned");
    // Nothing ever lets the second call in, which the engine may find out.
    let error = call(instance.as_mut(), "stackful", &[]).expect_err("the component takes no calls");
    assert!(matches!(error.kind(), ErrorKind::Timeout | ErrorKind::Trap), "{error}");
}

#[test]
fn a_wait_for_nothing_is_found_out() {
    let mut instance = Engine::metered().start(&stackful("(drop (call $wait (call $new-set) (i32.const 0)))"));
    let error = trapped(call(instance.as_mut(), "stackful", &[]), Trap::Other);
    assert_contains(error.message(), &["deadlock"]);
    refused(call(instance.as_mut(), "stackful", &[]), ErrorKind::Crashed);
}
