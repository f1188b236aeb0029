//! Resources as handles: methods, ownership, destructors.

use wrun::{ErrorKind, InstanceState, Limits, ResourceHandle, Trap, WasmComponentInstance, WitValue};

use crate::vocabulary::{Engine, assert_contains, call, refused, returned, trapped};

/// Exports the resources `counter`, a number, and `other`. `dtor` is the body of the destructor of a counter.
fn counters(dtor: &str) -> String {
    format!(
        r#"(component
            (core module $destructors
                (global $dropped (mut i32) (i32.const 0))
                (func (export "dtor") (param $number i32)
                    (global.set $dropped (i32.add (global.get $dropped) (i32.const 1)))
                    {dtor})
                (func (export "dropped") (result i32) (global.get $dropped)))
            (core instance $destructors (instantiate $destructors))
            (type $counter' (resource (rep i32) (dtor (func $destructors "dtor"))))
            (type $other' (resource (rep i32)))
            (core func $new (canon resource.new $counter'))
            (core func $rep (canon resource.rep $counter'))
            (core func $drop (canon resource.drop $counter'))
            (core func $new-other (canon resource.new $other'))
            (core module $m
                (import "" "new" (func $new (param i32) (result i32)))
                (import "" "rep" (func $rep (param i32) (result i32)))
                (import "" "drop" (func $drop (param i32)))
                (import "" "new-other" (func $new-other (param i32) (result i32)))
                (memory (export "memory") 1)
                (func (export "new") (param i32) (result i32) (call $new (local.get 0)))
                (func (export "new-other") (result i32) (call $new-other (i32.const 1)))
                (func (export "value") (param i32) (result i32) (local.get 0))
                (func (export "sum") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
                (func (export "take") (param i32) (result i32)
                    (call $rep (local.get 0))
                    (call $drop (local.get 0)))
                (func (export "take-both") (param i32 i32)
                    (call $drop (local.get 0))
                    (call $drop (local.get 1)))
                (func (export "pair") (result i32)
                    (i32.store (i32.const 8) (call $new (i32.const 1)))
                    (i32.store (i32.const 12) (call $new (i32.const 2)))
                    (i32.const 8))
                (func (export "flood") (param $count i32)
                    (loop $more
                        (drop (call $new (i32.const 0)))
                        (br_if $more (local.tee $count (i32.sub (local.get $count) (i32.const 1)))))))
            (core instance $i (instantiate $m (with "" (instance
                (export "new" (func $new)) (export "rep" (func $rep)) (export "drop" (func $drop))
                (export "new-other" (func $new-other))))))
            (export $counter "counter" (type $counter'))
            (export $other "other" (type $other'))
            (func (export "[constructor]counter") (param "start" u32) (result (own $counter))
                (canon lift (core func $i "new")))
            (func (export "[method]counter.value") (param "self" (borrow $counter)) (result u32)
                (canon lift (core func $i "value")))
            (func (export "new-other") (result (own $other)) (canon lift (core func $i "new-other")))
            (func (export "sum") (param "a" (borrow $counter)) (param "b" (borrow $counter)) (result u32)
                (canon lift (core func $i "sum")))
            (func (export "take") (param "counter" (own $counter)) (result u32) (canon lift (core func $i "take")))
            (func (export "take-both") (param "a" (own $counter)) (param "b" (own $counter))
                (canon lift (core func $i "take-both")))
            (func (export "own-and-borrow") (param "a" (own $counter)) (param "b" (borrow $counter))
                (canon lift (core func $i "take-both")))
            (func (export "pair") (result (tuple (own $counter) (own $counter)))
                (canon lift (core func $i "pair") (memory $i "memory")))
            (func (export "flood") (param "count" u32) (canon lift (core func $i "flood")))
            (func (export "dropped") (result u32) (canon lift (core func $destructors "dropped"))))"#
    )
}

#[track_caller]
fn new_counter(instance: &mut dyn WasmComponentInstance, start: u32) -> WitValue {
    returned(instance, "[constructor]counter", &[WitValue::U32(start)])
}

fn handle(value: &WitValue) -> ResourceHandle {
    match value {
        WitValue::Resource(handle) => *handle,
        other => panic!("{other:?} is not a resource"),
    }
}

#[track_caller]
fn dropped(instance: &mut dyn WasmComponentInstance) -> WitValue {
    returned(instance, "dropped", &[])
}

#[test]
fn a_method_can_be_called_while_the_host_holds_the_resource() {
    let mut instance = Engine::new().start(&counters(""));
    let instance = instance.as_mut();
    let (five, seven) = (new_counter(instance, 5), new_counter(instance, 7));
    assert_ne!(five, seven);
    for _ in 0..3 {
        assert_eq!(returned(instance, "[method]counter.value", std::slice::from_ref(&five)), WitValue::U32(5));
    }
    assert_eq!(returned(instance, "sum", &[five.clone(), seven]), WitValue::U32(12));
    assert_eq!(returned(instance, "sum", &[five.clone(), five]), WitValue::U32(10));
    assert_eq!(dropped(instance), WitValue::U32(0));
}

#[test]
fn dropping_a_resource_runs_its_destructor_once() {
    let mut instance = Engine::new().start(&counters(""));
    let instance = instance.as_mut();
    let counter = new_counter(instance, 5);
    instance.drop_resource(handle(&counter)).expect("the resource is live");
    assert_eq!(dropped(instance), WitValue::U32(1));
    instance.drop_resource(handle(&counter)).expect("dropping it again does nothing");
    assert_eq!(dropped(instance), WitValue::U32(1));
    let error = refused(call(instance, "[method]counter.value", &[counter]), ErrorKind::InvalidArgument);
    assert_contains(error.message(), &["self", "no longer valid"]);
    assert_eq!(instance.state(), InstanceState::Ready);
}

#[test]
fn a_resource_that_was_passed_to_the_guest_is_gone() {
    let mut instance = Engine::new().start(&counters(""));
    let instance = instance.as_mut();
    let counter = new_counter(instance, 5);
    assert_eq!(returned(instance, "take", std::slice::from_ref(&counter)), WitValue::U32(5));
    refused(call(instance, "take", std::slice::from_ref(&counter)), ErrorKind::InvalidArgument);
    instance.drop_resource(handle(&counter)).expect("the guest has the resource");
    assert_eq!(dropped(instance), WitValue::U32(1));
}

#[test]
fn ownership_passes_only_once_in_a_call() {
    let mut instance = Engine::new().start(&counters(""));
    let instance = instance.as_mut();
    let (a, b) = (new_counter(instance, 5), new_counter(instance, 7));
    for name in ["take-both", "own-and-borrow"] {
        let error = refused(call(instance, name, &[a.clone(), a.clone()]), ErrorKind::InvalidArgument);
        assert_contains(error.message(), &["twice"]);
    }
    call(instance, "take-both", &[a, b]).expect("the refused calls changed nothing");
    assert_eq!(dropped(instance), WitValue::U32(2));
}

#[test]
fn resources_inside_other_values_are_handles_too() {
    let mut instance = Engine::new().start(&counters(""));
    let instance = instance.as_mut();
    let WitValue::Tuple(pair) = returned(instance, "pair", &[]) else { panic!("not a tuple") };
    assert_eq!(returned(instance, "sum", &pair), WitValue::U32(3));
}

#[test]
fn a_handle_belongs_to_one_instance_and_one_type() {
    let engine = Engine::new();
    let (mut first, mut second) = (engine.start(&counters("")), engine.start(&counters("")));
    let counter = new_counter(first.as_mut(), 5);
    new_counter(second.as_mut(), 5);
    let error = refused(
        call(second.as_mut(), "[method]counter.value", std::slice::from_ref(&counter)),
        ErrorKind::InvalidArgument,
    );
    assert_contains(error.message(), &["another instance"]);
    refused(second.drop_resource(handle(&counter)), ErrorKind::InvalidArgument);
    let other = returned(first.as_mut(), "new-other", &[]);
    let error = refused(call(first.as_mut(), "[method]counter.value", &[other]), ErrorKind::InvalidArgument);
    assert_contains(error.message(), &["another type", "counter"]);
    assert_eq!(returned(first.as_mut(), "[method]counter.value", &[counter]), WitValue::U32(5));
}

#[test]
fn a_destructor_runs_under_the_same_limits_as_a_call() {
    let engine = Engine::metered();
    let looping = counters("(loop $forever (br $forever))");
    let mut instance = engine.start_within(Limits::none().with_fuel(10_000), &looping).expect("it starts");
    let counter = new_counter(instance.as_mut(), 5);
    refused(instance.drop_resource(handle(&counter)), ErrorKind::OutOfFuel);
    assert_eq!(instance.state(), InstanceState::Crashed);

    let mut instance = engine.start(&counters("(unreachable)"));
    let counter = new_counter(instance.as_mut(), 5);
    trapped(instance.drop_resource(handle(&counter)), Trap::Unreachable);
    let error = refused(call(instance.as_mut(), "dropped", &[]), ErrorKind::Crashed);
    assert_contains(error.message(), &["component"]);
}

#[test]
fn a_flood_of_handles_ends_in_a_trap() {
    let mut instance = Engine::new().start(&counters(""));
    call(instance.as_mut(), "flood", &[WitValue::U32(90_000)]).expect("so many handles are allowed");
    let error = trapped(call(instance.as_mut(), "flood", &[WitValue::U32(20_000)]), Trap::Other);
    assert_contains(error.message(), &["handle"]);
}
