//! Repeated calls by a convention for text: the instance after a failure, and limits that cover allocating, calling and freeing.

use std::time::Duration;

use wrun::session::{InstanceMode, InstanceOptions, PreparedCode, Session, Worker, WorkerOptions};
use wrun::{Abi, CallResult, Callable, ErrorKind, Limits, Result, RuntimeConfig};

use crate::text::options;
use crate::vocabulary::{assert_contains, on_each, refused};

/// A module that returns the number of its calls. The first byte of the argument says how it fails: `t` traps, `u` returns no
/// UTF-8, `o` a pointer outside memory; `n` lets the next allocation fail; `l`, `f` and `a` spin: at once, in freeing, and in
/// the next allocation.
const GUEST: &str = r#"(module
  (memory (export "memory") 1)
  (data (i32.const 16) "0\ff")
  (global $empty (mut i32) (i32.const 0))
  (global $spins (mut i32) (i32.const 0))
  (func $spin (param i32)
    (if (i32.eq (global.get $spins) (local.get 0)) (then (loop $again (br $again)))))
  (func (export "alloc") (param i32) (result i32)
    (call $spin (i32.const 97))
    (select (i32.const 0) (i32.const 1024) (global.get $empty)))
  (func (export "free") (param i32) (call $spin (i32.const 102)))
  (func (export "f") (param i32 i32) (result i64) (local $what i32)
    (local.set $what (i32.load8_u (local.get 0)))
    (i32.store8 (i32.const 16) (i32.add (i32.load8_u (i32.const 16)) (i32.const 1)))
    (if (i32.eq (local.get $what) (i32.const 116)) (then unreachable))
    (if (i32.eq (local.get $what) (i32.const 117)) (then (return (i64.const 0x1100000001))))
    (if (i32.eq (local.get $what) (i32.const 111)) (then (return (i64.const 0xfffff00000001))))
    (if (i32.eq (local.get $what) (i32.const 110)) (then (global.set $empty (i32.const 1))))
    (global.set $spins (local.get $what))
    (call $spin (i32.const 108))
    (i64.const 0x1000000001)))"#;

fn prepare(config: &RuntimeConfig, limits: Limits) -> (PreparedCode, Callable) {
    let session = Session::open(config, GUEST.as_bytes(), None).unwrap();
    let callable = Callable::find_with(session.info(), Some("f"), &options(Abi::Packed)).unwrap();
    let instances = InstanceOptions::default().with_limits(limits);
    (session.prepare(instances, &|_| {}).unwrap(), callable)
}

/// Runs a case with a function that calls a worker, on each engine.
#[track_caller]
fn with_worker(limits: Limits, case: impl Fn(&mut dyn FnMut(&str) -> Result<String>)) {
    on_each(|engine| {
        let config = RuntimeConfig::new(engine.kind).with_compiler(engine.compiler).with_metering().with_interruption();
        let (code, callable) = prepare(&config, limits);
        let mut options = WorkerOptions::default();
        (options.instance, options.limits) = (InstanceMode::Shared, limits);
        let mut worker = Worker::new(&code, &callable, options);
        case(&mut |text| {
            let args = callable.parse_args(&[text]).unwrap();
            worker.call(&args).map(CallResult::to_text)
        });
    });
}

#[test]
fn a_result_in_another_format_keeps_the_instance() {
    with_worker(Limits::none(), |call| {
        assert_eq!(call("x").unwrap(), "1");
        let error = refused(call("u"), ErrorKind::InvalidResult);
        assert_contains(error.message(), &["not UTF-8"]);
        assert_eq!(call("x").unwrap(), "3");
    });
}

#[test]
fn a_trap_and_invalid_pointers_replace_the_instance() {
    with_worker(Limits::none(), |call| {
        for (text, kind) in [("t", ErrorKind::Trap), ("o", ErrorKind::MemoryAccess)] {
            assert_eq!(call("x").unwrap(), "1");
            let _ = refused(call(text), kind);
            assert_eq!(call("x").unwrap(), "1");
            let _ = refused(call("t"), ErrorKind::Trap);
        }
        assert_eq!(call("n").unwrap(), "1");
        let error = refused(call("x"), ErrorKind::MemoryAccess);
        assert_contains(error.message(), &["null pointer"]);
        assert_eq!(call("x").unwrap(), "1", "a new instance has memory again");
    });
}

#[test]
fn time_and_fuel_stop_a_guest_that_spins_while_it_allocates_runs_or_frees() {
    for (limits, kind) in [
        (Limits::none().with_time(Duration::from_millis(500)), ErrorKind::Timeout),
        (Limits::none().with_fuel(100_000), ErrorKind::OutOfFuel),
    ] {
        with_worker(limits, |call| {
            let _ = refused(call("l"), kind);
            let _ = refused(call("f"), kind);
            assert_eq!(call("a").unwrap(), "1");
            let _ = refused(call("x"), kind);
            assert_eq!(call("x").unwrap(), "1");
        });
    }
}
