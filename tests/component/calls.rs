//! Typed calls.

use std::thread;

use wrun::{ErrorKind, InstanceState, WitValue};

use crate::vocabulary::{Engine, assert_contains, call, core, refused, returned, text};

/// A component that greets, adds, and counts its calls.
fn greeter() -> String {
    let core = core(
        r#"(data (i32.const 1024) "hello, ")
        (global $count (mut i32) (i32.const 0))
        (func (export "greet") (param $at i32) (param $length i32) (result i32)
            ;; The greeting goes right before the name.
            (memory.copy (i32.const 2048) (i32.const 1024) (i32.const 7))
            (memory.copy (i32.const 2055) (local.get $at) (local.get $length))
            (i32.store (i32.const 8) (i32.const 2048))
            (i32.store (i32.const 12) (i32.add (i32.const 7) (local.get $length)))
            (i32.const 8))
        (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
        (func (export "count") (result i32)
            (global.set $count (i32.add (global.get $count) (i32.const 1)))
            (global.get $count))
        (func (export "nothing"))"#,
    );
    format!(
        r#"(component {core}
            (func (export "greet") (param "name" string) (result string)
                (canon lift (core func $i "greet") (memory $i "memory") (realloc (func $i "realloc"))))
            (func $add (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $i "add")))
            (func (export "count") (result u32) (canon lift (core func $i "count")))
            (func (export "nothing") (canon lift (core func $i "nothing")))
            (instance $math (export "add" (func $add)))
            (export "demo:shop/math@1.2.0" (instance $math)))"#
    )
}

#[test]
fn a_string_goes_in_and_out() {
    let mut instance = Engine::new().start(&greeter());
    assert_eq!(returned(instance.as_mut(), "greet", &[text("bob")]), text("hello, bob"));
    assert_eq!(instance.state(), InstanceState::Ready);
}

#[test]
fn a_function_of_an_interface_has_a_long_name_and_short_ones() {
    let mut instance = Engine::new().start(&greeter());
    for name in ["demo:shop/math@1.2.0#add", "demo:shop/math#add", "math#add", "math.add"] {
        assert_eq!(returned(instance.as_mut(), name, &[WitValue::U32(5), WitValue::U32(3)]), WitValue::U32(8));
    }
    let error = refused(instance.function("math#ad"), ErrorKind::UnknownExport);
    assert_eq!(error.hints().first().map(String::as_str), Some("did you mean `math#add`?"));
}

#[test]
fn a_function_is_resolved_once_for_many_calls() {
    let mut instance = Engine::new().start(&greeter());
    let mut count = instance.function("count").expect("it is exported");
    for expected in 1..100 {
        let returned = count.call(instance.as_mut(), &[]).expect("it runs");
        assert_eq!(returned, Some(WitValue::U32(expected)));
    }
    assert_eq!(count.ty().to_string(), "func() -> u32");
    let mut nothing = instance.function("nothing").expect("it is exported");
    assert_eq!(nothing.call(instance.as_mut(), &[]).expect("it runs"), None);
}

#[test]
fn a_function_belongs_to_one_instance() {
    let engine = Engine::new();
    let component = engine.load(&greeter());
    let start = || {
        let limits = wrun::Limits::none();
        engine.runtime.create_component_instance(component.as_ref(), limits, wrun::Capabilities::none())
    };
    let (mut first, mut second) = (start().expect("it starts"), start().expect("it starts"));
    let mut count = first.function("count").expect("it is exported");
    refused(count.call(second.as_mut(), &[]), ErrorKind::InvalidArgument);
    assert_eq!(returned(first.as_mut(), "count", &[]), WitValue::U32(1));
    assert_eq!(returned(second.as_mut(), "count", &[]), WitValue::U32(1));
}

#[test]
fn an_instance_can_move_to_another_thread() {
    let mut instance = Engine::new().start(&greeter());
    let greeted = thread::spawn(move || returned(instance.as_mut(), "greet", &[text("bob")]));
    assert_eq!(greeted.join().expect("it does not panic"), text("hello, bob"));
}

/// `run` calls `double` of an inner component asynchronously and waits for the result. Neither of the calls blocks.
#[cfg(feature = "wasi-p3")]
const ASYNCHRONOUS_INSIDE: &str = r#"(component
    (component $inner
        (core module $m
            (import "" "return" (func $return (param i32)))
            (func (export "double") (param i32) (call $return (i32.mul (i32.const 2) (local.get 0)))))
        (core func $return (canon task.return (result u32)))
        (core instance $i (instantiate $m (with "" (instance (export "return" (func $return))))))
        (func (export "double") async (param "number" u32) (result u32)
            (canon lift (core func $i "double") async)))
    (component $outer
        (import "double" (func $double async (param "number" u32) (result u32)))
        (core module $libc (memory (export "memory") 1))
        (core instance $libc (instantiate $libc))
        (core func $double (canon lower (func $double) async (memory $libc "memory")))
        (core module $m
            (import "" "double" (func $double (param i32 i32) (result i32)))
            (import "" "memory" (memory 1))
            (func (export "run") (param i32) (result i32)
                ;; 2: the callee has returned.
                (if (i32.ne (i32.const 2) (call $double (local.get 0) (i32.const 16))) (then (unreachable)))
                (i32.load (i32.const 16))))
        (core instance $i (instantiate $m (with "" (instance
            (export "double" (func $double)) (export "memory" (memory $libc "memory"))))))
        (func (export "run") (param "number" u32) (result u32) (canon lift (core func $i "run"))))
    (instance $inner (instantiate $inner))
    (instance $outer (instantiate $outer (with "double" (func $inner "double"))))
    (func (export "run") (alias export $outer "run")))"#;

#[test]
#[cfg(feature = "wasi-p3")]
fn a_synchronous_function_may_call_asynchronous_ones_inside() {
    let engine = Engine::new();
    let component = engine.load(ASYNCHRONOUS_INSIDE);
    assert!(component.info().is_concurrent);
    assert!(!engine.load(&greeter()).info().is_concurrent);
    let mut instance = engine.start(ASYNCHRONOUS_INSIDE);
    for _ in 0..10 {
        assert_eq!(returned(instance.as_mut(), "run", &[WitValue::U32(21)]), WitValue::U32(42));
    }
}

#[test]
fn arguments_are_checked_before_the_guest_runs() {
    let mut instance = Engine::new().start(&greeter());
    let error = refused(call(instance.as_mut(), "greet", &[WitValue::U32(1)]), ErrorKind::InvalidArgument);
    assert_contains(error.message(), &["name", "string"]);
    let error = refused(call(instance.as_mut(), "greet", &[text("a"), text("b")]), ErrorKind::InvalidArgument);
    assert_contains(error.message(), &["too many arguments"]);
    assert_eq!(returned(instance.as_mut(), "greet", &[text("bob")]), text("hello, bob"));
}
