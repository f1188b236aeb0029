//! Resolved functions: one lookup, many calls, only on their own instance.

use wrun::{ErrorKind, Value};

use crate::vocabulary::{assert_contains, engines, on_each, refused, trapped};
use Value::{F64, I32, I64};

const COUNTER: &str = r#"
(module
  (global $count (export "count") (mut i32) (i32.const 0))
  (func (export "add") (param i32) (result i32)
    (global.set $count (i32.add (global.get $count) (local.get 0)))
    (global.get $count))
  (func (export "get") (result i32) (global.get $count))
  (func (export "many") (param i32 i64 f32 f64 i32) (result f64 i32) (local.get 3) (local.get 4))
  (func (export "trap") (unreachable)))"#;

#[test]
fn a_handle_is_used_many_times() {
    on_each(|engine| {
        let mut guest = engine.start(COUNTER);
        let mut add = guest.function("add").unwrap();
        let mut results = [I32(0)];
        for round in 1..=10_000 {
            add.call(guest.as_mut(), &[I32(1)], &mut results).unwrap();
            assert_eq!(results, [I32(round)]);
        }
    });
}

#[test]
fn two_handles_are_used_in_turn() {
    on_each(|engine| {
        let mut guest = engine.start(COUNTER);
        let mut add = guest.function("add").unwrap();
        let mut get = guest.function("get").unwrap();
        let mut results = [I32(0)];
        for round in 1..=100 {
            add.call(guest.as_mut(), &[I32(2)], &mut results).unwrap();
            get.call(guest.as_mut(), &[], &mut results).unwrap();
            assert_eq!(results, [I32(2 * round)]);
        }
        assert_eq!(guest.call_simple_function("get", &[]).unwrap(), 200, "calls by name see the same instance");
    });
}

#[test]
fn the_result_buffer_is_overwritten() {
    on_each(|engine| {
        let mut guest = engine.start(COUNTER);
        let mut many = guest.function("many").unwrap();
        let mut results = [I64(-1), F64(9.5)];
        let args = [I32(1), I64(2), Value::F32(3.0), F64(4.0), I32(5)];
        many.call(guest.as_mut(), &args, &mut results).unwrap();
        assert_eq!(results, [F64(4.0), I32(5)]);
    });
}

#[test]
fn a_handle_of_another_instance_is_refused() {
    on_each(|engine| {
        let (mut first, mut second) = (engine.start(COUNTER), engine.start(COUNTER));
        let mut add = first.function("add").unwrap();
        let error = refused(add.call(second.as_mut(), &[I32(1)], &mut [I32(0)]), ErrorKind::InvalidArgument);
        assert_contains(error.message(), &["another instance"]);
        assert_eq!(second.global("count").unwrap(), I32(0), "nothing ran there");
        add.call(first.as_mut(), &[I32(1)], &mut [I32(0)]).unwrap();
    });
}

#[test]
fn a_handle_is_refused_by_the_instances_of_every_other_engine() {
    on_each(|engine| {
        let mut add = engine.start(COUNTER).function("add").unwrap();
        for other in engines() {
            let mut guest = other.start(COUNTER);
            refused(add.call(guest.as_mut(), &[I32(1)], &mut [I32(0)]), ErrorKind::InvalidArgument);
        }
    });
}

#[test]
fn wrong_arguments_are_refused_before_anything_runs() {
    on_each(|engine| {
        let mut guest = engine.start(COUNTER);
        let mut add = guest.function("add").unwrap();
        let wrong: [&[Value]; 4] = [&[], &[I64(1)], &[I32(1), I32(1)], &[Value::FuncRef(None)]];
        for args in wrong {
            let error = refused(add.call(guest.as_mut(), args, &mut [I32(0)]), ErrorKind::InvalidArgument);
            assert_contains(error.message(), &["but the function is (i32) -> i32"]);
        }
        assert_eq!(guest.global("count").unwrap(), I32(0));
    });
}

#[test]
fn a_result_buffer_of_the_wrong_size_is_refused() {
    on_each(|engine| {
        let mut guest = engine.start(COUNTER);
        let mut add = guest.function("add").unwrap();
        refused(add.call(guest.as_mut(), &[I32(1)], &mut []), ErrorKind::InvalidArgument);
        refused(add.call(guest.as_mut(), &[I32(1)], &mut [I32(0), I32(0)]), ErrorKind::InvalidArgument);
        assert_eq!(guest.global("count").unwrap(), I32(0));
    });
}

#[test]
fn a_handle_outlives_a_trap_of_another() {
    on_each(|engine| {
        let mut guest = engine.start(COUNTER);
        let (mut add, mut trap) = (guest.function("add").unwrap(), guest.function("trap").unwrap());
        let mut results = [I32(0)];
        trapped(trap.call(guest.as_mut(), &[], &mut []), wrun::Trap::Unreachable);
        refused(add.call(guest.as_mut(), &[I32(1)], &mut results), ErrorKind::Crashed);
        guest.recover();
        add.call(guest.as_mut(), &[I32(1)], &mut results).unwrap();
        assert_eq!(results, [I32(1)]);
    });
}

#[test]
fn handles_of_one_function_are_equivalent() {
    on_each(|engine| {
        let mut guest = engine.start(COUNTER);
        let mut results = [I32(0)];
        for round in 1..=3 {
            let mut add = guest.function("add").unwrap();
            add.call(guest.as_mut(), &[I32(1)], &mut results).unwrap();
            assert_eq!(results, [I32(round)]);
        }
    });
}

#[test]
fn a_handle_whose_instance_is_gone_is_refused() {
    on_each(|engine| {
        let mut add = engine.start(COUNTER).function("add").unwrap();
        let mut other = engine.start(COUNTER);
        refused(add.call(other.as_mut(), &[I32(1)], &mut [I32(0)]), ErrorKind::InvalidArgument);
    });
}
