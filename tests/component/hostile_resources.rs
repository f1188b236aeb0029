//! Resources that guests misuse.

use std::time::Duration;

use wrun::{ErrorKind, InstanceState, Limits, ResourceHandle, Trap, WasmComponentInstance, WitValue};

use crate::vocabulary::{Engine, assert_contains, call, refused, returned, trapped};

/// A component whose inner component has the resource `r` with this destructor. The functions of the outer one misuse it.
fn misusing(destructor: &str, body: &str) -> String {
    format!(
        r#"(component
            (component $inner
                (core module $destructors (func (export "drop") (param i32) {destructor}))
                (core instance $destructors (instantiate $destructors))
                (type $r' (resource (rep i32) (dtor (func $destructors "drop"))))
                (export $r "r" (type $r'))
                (core func $new (canon resource.new $r'))
                (core func $drop (canon resource.drop $r'))
                (core module $m
                    (import "" "new" (func $new (param i32) (result i32)))
                    (import "" "drop" (func $drop (param i32)))
                    (global $kept (mut i32) (i32.const 0))
                    (func (export "new") (result i32) (call $new (i32.const 7)))
                    (func (export "take") (param i32) (call $drop (local.get 0)))
                    (func (export "value") (param i32) (result i32) (local.get 0)))
                (core instance $i (instantiate $m (with "" (instance
                    (export "new" (func $new)) (export "drop" (func $drop))))))
                (func (export "new") (result (own $r)) (canon lift (core func $i "new")))
                (func (export "take") (param "r" (own $r)) (canon lift (core func $i "take")))
                (func (export "value") (param "r" (borrow $r)) (result u32) (canon lift (core func $i "value"))))
            (instance $inner (instantiate $inner))
            (component $outer
                (import "inner" (instance $inner
                    (export "r" (type $r (sub resource)))
                    (export "new" (func (result (own $r))))
                    (export "take" (func (param "r" (own $r))))
                    (export "value" (func (param "r" (borrow $r)) (result u32)))))
                (alias export $inner "r" (type $r))
                (core func $new (canon lower (func $inner "new")))
                (core func $take (canon lower (func $inner "take")))
                (core func $value (canon lower (func $inner "value")))
                (core func $drop (canon resource.drop $r))
                (type $mine (resource (rep i32)))
                (core func $new-mine (canon resource.new $mine))
                (core module $m
                    (import "" "new" (func $new (result i32)))
                    (import "" "take" (func $take (param i32)))
                    (import "" "value" (func $value (param i32) (result i32)))
                    (import "" "drop" (func $drop (param i32)))
                    (import "" "new-mine" (func $new-mine (param i32) (result i32)))
                    (global $kept (mut i32) (i32.const 0))
                    (func (export "run") (local $r i32) {body})
                    (func (export "lent") (param i32)
                        (if (i32.eqz (global.get $kept)) (then (global.set $kept (local.get 0)) (call $drop (local.get 0)))
                            (else (drop (call $value (global.get $kept)))))))
                (core instance $i (instantiate $m (with "" (instance
                    (export "new" (func $new)) (export "take" (func $take)) (export "value" (func $value))
                    (export "drop" (func $drop)) (export "new-mine" (func $new-mine))))))
                (func (export "run") (canon lift (core func $i "run"))))
            (instance $outer (instantiate $outer (with "inner" (instance $inner))))
            (export "inner" (instance $inner))
            (func (export "run") (alias export $outer "run")))"#
    )
}

#[test]
fn a_handle_is_checked_at_each_use() {
    let engine = Engine::metered();
    let new = "(local.set $r (call $new))";
    let cases = [
        (format!("{new} (call $drop (local.get $r)) (call $drop (local.get $r))"), "unknown handle index"),
        (format!("{new} (call $take (local.get $r)) (call $take (local.get $r))"), "unknown handle index"),
        (format!("{new} (call $take (local.get $r)) (drop (call $value (local.get $r)))"), "unknown handle index"),
        ("(call $drop (i32.const 0))".to_owned(), "handle index"),
        ("(call $drop (i32.const -1))".to_owned(), "handle index"),
        ("(drop (call $value (i32.const 12345)))".to_owned(), "unknown handle index"),
        ("(call $take (call $new-mine (i32.const 1)))".to_owned(), "handle"),
    ];
    for (body, text) in cases {
        let mut instance = engine.start(&misusing("", &body));
        let error = trapped(call(instance.as_mut(), "run", &[]), Trap::Other);
        assert_contains(error.message(), &[text]);
        assert_eq!(instance.state(), InstanceState::Crashed, "{body}");
    }
    let fine = format!("{new} (drop (call $value (local.get $r))) (call $take (local.get $r))");
    call(engine.start(&misusing("", &fine)).as_mut(), "run", &[]).expect("each use is allowed");
}

fn new_resource(instance: &mut dyn WasmComponentInstance) -> ResourceHandle {
    match returned(instance, "inner#new", &[]) {
        WitValue::Resource(handle) => handle,
        other => panic!("{other:?} is not a resource"),
    }
}

#[test]
fn a_destructor_traps_or_is_stopped_like_a_call() {
    let engine = Engine::metered();
    let drop_in_guest = "(call $drop (call $new))";
    let trapping = misusing("(unreachable)", drop_in_guest);
    trapped(call(engine.start(&trapping).as_mut(), "run", &[]), Trap::Unreachable);
    let mut instance = engine.start(&trapping);
    let handle = new_resource(instance.as_mut());
    trapped(instance.drop_resource(handle), Trap::Unreachable);
    assert_eq!(instance.state(), InstanceState::Crashed);

    let endless = misusing("(loop $l (br $l))", drop_in_guest);
    let start = |limits| engine.start_within(limits, &endless).expect("it starts");
    refused(call(start(Limits::none().with_fuel(1_000)).as_mut(), "run", &[]), ErrorKind::OutOfFuel);
    let limits = Limits::none().with_time(Duration::from_millis(30));
    refused(call(start(limits).as_mut(), "run", &[]), ErrorKind::Timeout);
    let mut instance = start(Limits::none().with_fuel(1_000));
    let handle = new_resource(instance.as_mut());
    refused(instance.drop_resource(handle), ErrorKind::OutOfFuel);
}

#[test]
fn a_destructor_that_drops_another_resource_ends_at_the_stack() {
    // Each destructor creates a resource and drops it.
    let wat = r#"(component
        (core module $table (table (export "table") 2 funcref))
        (core instance $table (instantiate $table))
        (core module $destructors
            (import "" "table" (table 2 funcref))
            (type $new (func (param i32) (result i32)))
            (type $drop (func (param i32)))
            (func (export "drop") (param i32)
                (call_indirect (type $drop)
                    (call_indirect (type $new) (i32.const 1) (i32.const 0))
                    (i32.const 1))))
        (core instance $destructors (instantiate $destructors (with "" (instance $table))))
        (type $r (resource (rep i32) (dtor (func $destructors "drop"))))
        (core func $new (canon resource.new $r))
        (core func $drop (canon resource.drop $r))
        (core module $m
            (import "" "table" (table 2 funcref))
            (import "" "new" (func $new (param i32) (result i32)))
            (import "" "drop" (func $drop (param i32)))
            (elem (i32.const 0) $new $drop)
            (func (export "run") (call $drop (call $new (i32.const 1)))))
        (core instance $i (instantiate $m (with "" (instance
            (export "table" (table $table "table")) (export "new" (func $new)) (export "drop" (func $drop))))))
        (func (export "run") (canon lift (core func $i "run"))))"#;
    let engine = Engine::metered();
    let error = refused(call(engine.start(wat).as_mut(), "run", &[]), ErrorKind::Trap);
    assert!(matches!(error.trap_code(), Some(Trap::StackOverflow | Trap::Other)), "{error}");
    let mut instance = engine.start_within(Limits::none().with_fuel(500), wat).expect("it starts");
    refused(call(instance.as_mut(), "run", &[]), ErrorKind::OutOfFuel);
}
