//! Instance states: ready until a trap, crashed after it, ready again after `recover`.

use std::panic::{AssertUnwindSafe, catch_unwind};

use wrun::{ErrorKind, Feature, FuncType, HostImports, InstanceState, Limits, RuntimeKind, Trap, Value};

use crate::vocabulary::{assert_contains, hints, is_refused_for, on_each, refused, trapped};

const FRAGILE: &str = r#"
(module
  (memory (export "memory") 1)
  (global $calls (export "calls") (mut i32) (i32.const 0))
  (func (export "count") (result i32)
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (global.get $calls))
  (func $endless (export "endless") (result i32) (i32.add (call $endless) (i32.const 1)))
  (func (export "trap") (i32.store (i32.const 8) (i32.const 77)) (unreachable)))"#;

#[test]
fn an_instance_is_ready_at_first_and_after_every_call_that_returns() {
    on_each(|engine| {
        let mut guest = engine.start(FRAGILE);
        assert_eq!(guest.state(), InstanceState::Ready);
        guest.call_simple_function("count", &[]).unwrap();
        assert_eq!(guest.state(), InstanceState::Ready);
    });
}

#[test]
fn after_a_trap_calls_are_refused_and_nothing_runs() {
    on_each(|engine| {
        let mut guest = engine.start(FRAGILE);
        trapped(guest.call("trap", &[]), Trap::Unreachable);
        assert_eq!(guest.state(), InstanceState::Crashed);
        for _ in 0..2 {
            let error = refused(guest.call("count", &[]), ErrorKind::Crashed);
            assert_contains(error.message(), &["trapped", "earlier", "takes no further calls"]);
            assert_contains(&hints(&error), &["recover"]);
        }
        assert_eq!(guest.global("calls").unwrap(), Value::I32(0));
    });
}

#[test]
fn memory_and_globals_can_be_read_after_a_trap() {
    on_each(|engine| {
        let mut guest = engine.start(FRAGILE);
        trapped(guest.call("trap", &[]), Trap::Unreachable);
        let mut bytes = [0; 4];
        guest.read_memory("memory", 8, &mut bytes).unwrap();
        assert_eq!(bytes, [77, 0, 0, 0]);
        assert_eq!(guest.memory_size("memory").unwrap(), 65536);
        guest.write_memory("memory", 8, &[1]).unwrap();
        assert_eq!(guest.global("calls").unwrap(), Value::I32(0));
    });
}

#[test]
fn a_recovered_instance_takes_calls_and_has_kept_its_state() {
    on_each(|engine| {
        let mut guest = engine.start(FRAGILE);
        assert_eq!(guest.call_simple_function("count", &[]).unwrap(), 1);
        trapped(guest.call("trap", &[]), Trap::Unreachable);
        guest.recover();
        assert_eq!(guest.state(), InstanceState::Ready);
        assert_eq!(guest.call_simple_function("count", &[]).unwrap(), 2);
    });
}

#[test]
fn an_instance_recovers_from_every_kind_of_trap_any_number_of_times() {
    on_each(|engine| {
        let mut guest = engine.start(FRAGILE);
        for round in 1..=50 {
            let (name, trap) =
                if round % 2 == 0 { ("trap", Trap::Unreachable) } else { ("endless", Trap::StackOverflow) };
            trapped(guest.call(name, &[]), trap);
            guest.recover();
            assert_eq!(guest.call_simple_function("count", &[]).unwrap(), round);
        }
    });
}

#[test]
fn a_refused_call_does_not_crash_the_instance() {
    on_each(|engine| {
        let mut guest = engine.start(FRAGILE);
        refused(guest.call("count", &[Value::I32(1)]), ErrorKind::InvalidArgument);
        refused(guest.call("cuont", &[]), ErrorKind::UnknownExport);
        assert_eq!(guest.state(), InstanceState::Ready);
        assert_eq!(guest.call_simple_function("count", &[]).unwrap(), 1);
    });
}

#[test]
fn one_instance_crashes_alone() {
    on_each(|engine| {
        let module = engine.load(FRAGILE);
        let start = || engine.instance_of(module.as_ref()).unwrap();
        let (mut first, mut second) = (start(), start());
        trapped(first.call("trap", &[]), Trap::Unreachable);
        assert_eq!(second.call_simple_function("count", &[]).unwrap(), 1);
        assert_eq!((first.state(), second.state()), (InstanceState::Crashed, InstanceState::Ready));
    });
}

#[test]
fn a_panic_of_a_host_function_reaches_the_embedder_and_leaves_a_crashed_instance() {
    let wat = r#"
        (module
          (import "host" "panic" (func $panic))
          (func (export "panic") (call $panic))
          (func (export "seven") (result i32) (i32.const 7)))"#;
    let imports = HostImports::none()
        .with_function("host", "panic", FuncType::default(), |_, _| std::panic::panic_any("the host gave up"));
    on_each(|engine| {
        let mut guest = engine.start_importing(&imports, wat).unwrap();
        let panic = catch_unwind(AssertUnwindSafe(|| guest.call("panic", &[]))).unwrap_err();
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"the host gave up"));
        assert_eq!(guest.state(), InstanceState::Crashed);
        refused(guest.call("seven", &[]), ErrorKind::Crashed);
        guest.recover();
        assert_eq!(guest.call_simple_function("seven", &[]).unwrap(), 7);
    });
}

#[test]
fn uncaught_exceptions_leave_nothing_behind() {
    let wat = r#"(module (tag $e (param i64 i64)) (memory 1)
      (func (export "throw") (throw $e (i64.const 1) (i64.const 2))))"#;
    on_each(|engine| {
        if !engine.has(Feature::Exceptions) {
            return is_refused_for(&[Feature::Exceptions], engine, wat);
        }
        let started = engine.start_within(Limits::none().with_memory(4 << 20), wat);
        if engine.kind == RuntimeKind::Wasmer {
            refused(started, ErrorKind::UnsupportedFeature);
            return;
        }
        let mut guest = started.unwrap();
        for _ in 0..200_000 {
            trapped(guest.call("throw", &[]), Trap::UncaughtException);
            guest.recover();
        }
    });
}
