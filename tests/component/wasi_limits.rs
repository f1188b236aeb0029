//! Limits on what WASI allocates for a component, and which interfaces are linked.

use wrun::{Capabilities, ComponentImports, ErrorKind, Limits, Result, Trap, WasmComponentInstance, WitValue};

use crate::vocabulary::{Engine, assert_contains, call, core, refused, returned, trapped};

/// A component that imports functions of WASI. `imports` declares them, and lowers them to core functions; `given` passes those to the
/// core module, whose functions are in `body`; `exports` lifts them.
fn component(imports: &str, given: &str, body: &str, exports: &str) -> String {
    let memory = core("");
    format!(
        r#"(component
            {memory}
            {imports}
            (core module $n (import "i" "memory" (memory 1)) {body})
            (core instance $j (instantiate $n
                (with "i" (instance $i))
                (with "wasi" (instance {given}))))
            {exports})"#
    )
}

fn start(wat: &str) -> Result<Box<dyn WasmComponentInstance>> {
    let engine = Engine::new();
    let component = engine.load(wat);
    let granted = Capabilities::none();
    engine.runtime.create_component_instance_with(component.as_ref(), Limits::none(), granted, ComponentImports::NONE)
}

/// A component with the function `count`, which gets this many random bytes and returns their number.
fn random(interface: &str, function: &str) -> String {
    component(
        &format!(
            r#"(import "{interface}" (instance $random
                (export "{function}" (func (param "count" u64) (result (list u8))))))
            (core func $get (canon lower (func $random "{function}")
                (memory $i "memory") (realloc (func $i "realloc"))))"#
        ),
        r#"(export "get" (func $get))"#,
        r#"(import "wasi" "get" (func $get (param i64 i32)))
        (func (export "count") (param i64) (result i32)
            (call $get (local.get 0) (i32.const 0))
            (i32.load (i32.const 4)))"#,
        r#"(func (export "count") (param "count" u64) (result u32) (canon lift (core func $j "count")))"#,
    )
}

#[test]
fn a_call_returns_at_most_64_mebibytes_of_random_numbers() {
    for (interface, function) in
        [("wasi:random/random@0.2.0", "get-random-bytes"), ("wasi:random/insecure@0.2.3", "get-insecure-random-bytes")]
    {
        let count = |count| call(&mut *start(&random(interface, function)).unwrap(), "count", &[WitValue::U64(count)]);
        assert_eq!(count(1 << 20).unwrap(), Some(WitValue::U32(1 << 20)));
        for too_many in [(64 << 20) + 1, 4 << 30, u64::MAX] {
            let error = trapped(count(too_many), Trap::Other);
            assert_contains(&error.to_string(), &["random bytes in one call"]);
        }
    }
}

#[cfg(feature = "wasi-p3")]
#[test]
fn a_call_of_wasi_0_3_may_return_fewer_random_numbers() {
    let wat = random("wasi:random/random@0.3.0", "get-random-bytes");
    let mut instance = start(&wat).unwrap();
    assert_eq!(returned(&mut *instance, "count", &[WitValue::U64(1000)]), WitValue::U32(1000));
    assert_eq!(returned(&mut *instance, "count", &[WitValue::U64(u64::MAX)]), WitValue::U32(64 << 20));
}

/// A component that subscribes to a timer this many times, and polls the last one this many times at once.
fn timers() -> String {
    component(
        r#"(import "wasi:io/poll@0.2.0" (instance $poll
            (export "pollable" (type $pollable (sub resource)))
            (export "poll" (func (param "in" (list (borrow $pollable))) (result (list u32))))))
        (alias export $poll "pollable" (type $pollable))
        (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
            (alias outer 1 $pollable (type $of_clock))
            (export "subscribe-duration" (func (param "when" u64) (result (own $of_clock))))))
        (core func $subscribe (canon lower (func $clock "subscribe-duration")))
        (core func $poll (canon lower (func $poll "poll") (memory $i "memory") (realloc (func $i "realloc"))))"#,
        r#"(export "subscribe" (func $subscribe)) (export "poll" (func $poll))"#,
        r#"(import "wasi" "subscribe" (func $subscribe (param i64) (result i32)))
        (import "wasi" "poll" (func $poll (param i32 i32 i32)))
        (global $last (mut i32) (i32.const 0))
        (func (export "subscribe") (param $count i32)
            (loop $more
                (global.set $last (call $subscribe (i64.const 0)))
                (br_if $more (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))
        (func (export "poll") (param $count i32) (result i32)
            (local $at i32)
            (drop (memory.grow (i32.const 100)))
            (loop $more
                (i32.store (i32.add (i32.const 65536) (i32.mul (local.get $at) (i32.const 4))) (global.get $last))
                (br_if $more (i32.lt_u
                    (local.tee $at (i32.add (local.get $at) (i32.const 1)))
                    (local.get $count))))
            (call $poll (i32.const 65536) (local.get $count) (i32.const 0))
            (i32.load (i32.const 4)))"#,
        r#"(func (export "subscribe") (param "count" u32) (canon lift (core func $j "subscribe")))
        (func (export "poll") (param "count" u32) (result u32) (canon lift (core func $j "poll")))"#,
    )
}

#[test]
fn a_component_has_at_most_16384_resources() {
    let mut instance = start(&timers()).unwrap();
    let mut subscribe = |count| call(&mut *instance, "subscribe", &[WitValue::U32(count)]);
    // A pollable of a timer is two resources.
    subscribe(8_192).unwrap();
    let error = trapped(subscribe(1), Trap::Other);
    assert_contains(&error.to_string(), &["table"]);
}

#[test]
fn a_component_polls_fewer_than_100000_times_at_once() {
    let mut instance = start(&timers()).unwrap();
    call(&mut *instance, "subscribe", &[WitValue::U32(1)]).unwrap();
    let mut poll = |count| call(&mut *instance, "poll", &[WitValue::U32(count)]);
    assert_eq!(poll(1).unwrap(), Some(WitValue::U32(1)));
    assert_eq!(poll(50_000).unwrap(), Some(WitValue::U32(50_000)));
    assert_contains(&trapped(poll(1_000_000), Trap::Other).to_string(), &["handle limit"]);
}

#[test]
fn every_minor_version_that_the_engine_knows_is_linked() {
    for version in ["0.2.0", "0.2.3", "0.2.6", "0.2.12"] {
        let wat = random(&format!("wasi:random/random@{version}"), "get-random-bytes");
        let mut instance = start(&wat).unwrap();
        assert_eq!(returned(&mut *instance, "count", &[WitValue::U64(3)]), WitValue::U32(3), "{version}");
    }
}

#[test]
fn other_versions_and_interfaces_are_unresolved() {
    for name in [
        "wasi:random/random@0.1.0",
        "wasi:random/random@0.2.0-rc-2023-11-10",
        "wasi:random/random@0.4.0",
        "wasi:random/random@1.0.0",
        "wasi:random/random",
        "wasi:random/no-such-interface@0.2.0",
        "wasi:keyvalue/store@0.2.0",
    ] {
        let error = refused(start(&random(name, "get-random-bytes")), ErrorKind::Unlinkable);
        assert_contains(error.message(), &[name]);
    }
}

#[test]
fn two_versions_of_an_interface_are_linked_together() {
    let wat = r#"(component
        (import "wasi:random/random@0.2.0" (instance (export "get-random-u64" (func (result u64)))))
        (import "wasi:random/random@0.2.3" (instance (export "get-random-u64" (func (result u64))))))"#;
    start(wat).unwrap();
}
