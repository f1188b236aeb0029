//! Many calls of one function of a component, in shared instances and in new ones.

use wrun::session::{InstanceMode, InstanceOptions, PreparedCode, Session, Worker, WorkerOptions};
use wrun::{CallArgs, CallResult, Callable, ErrorKind, Limits, Result, RuntimeConfig, Trap, WitValue};

use crate::vocabulary::{PAGE, core};

/// Counts the calls of the instance; traps, spins or fills its memory for some arguments. The string that it returns is in memory,
/// which `post-return` frees.
fn counter() -> String {
    let core = core(
        r#"
        (global $calls (mut i32) (i32.const 0))
        (func (export "work") (param $what i32) (result i32)
            (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
            (if (i32.eq (local.get $what) (i32.const 1)) (then (unreachable)))
            (if (i32.eq (local.get $what) (i32.const 2)) (then (loop $again (br $again))))
            (if (i32.eq (local.get $what) (i32.const 3))
                (then (if (i32.eq (memory.grow (i32.const 1000)) (i32.const -1)) (then (unreachable)))))
            (i32.store (i32.const 0) (call $realloc (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 60000)))
            (i32.store (i32.const 4) (global.get $calls))
            (i32.const 0))
        (func (export "free") (param i32) (global.set $next (i32.const 16)))"#,
    );
    format!(
        r#"(component
            {core}
            (func (export "work") (param "what" u32) (result string)
                (canon lift (core func $i "work") (memory $i "memory") (realloc (func $i "realloc"))
                    (post-return (func $i "free")))))"#
    )
}

fn prepare(limits: Limits) -> (PreparedCode, Callable) {
    let config = RuntimeConfig::wasmtime().with_metering().with_interruption();
    let wat = counter();
    let session = Session::open(&config, wat.as_bytes(), None).unwrap();
    let callable = session.function("work").unwrap();
    let options = InstanceOptions::default().with_limits(limits);
    (session.prepare(options, &|_| {}).unwrap(), callable)
}

fn worker((code, callable): &(PreparedCode, Callable), mode: InstanceMode, limits: Limits) -> Worker<'_> {
    let mut options = WorkerOptions::default();
    (options.instance, options.limits) = (mode, limits);
    Worker::new(code, callable, options)
}

fn args(what: u32) -> CallArgs {
    vec![WitValue::U32(what)].into()
}

/// The number of calls of the instance, which is the length of the string.
fn count(result: Result<&CallResult>) -> usize {
    match result.unwrap() {
        CallResult::Component(Some(WitValue::String(text)), _) => text.len(),
        other => panic!("{other:?} is not a string"),
    }
}

/// Each call gets 60,000 bytes, and more than a page is never in use, since `post-return` runs after each call.
#[test]
fn calls_share_an_instance_and_its_results_are_freed() {
    let prepared = prepare(Limits::none());
    let mut worker = worker(&prepared, InstanceMode::Shared, Limits::none());
    for calls in 1..=50 {
        assert_eq!(count(worker.call(&args(0))), calls);
    }
    assert_eq!(worker.usage().memory_peak_bytes, PAGE);
}

#[test]
fn each_call_has_a_new_instance() {
    let prepared = prepare(Limits::none());
    let mut worker = worker(&prepared, InstanceMode::PerCall, Limits::none());
    for _ in 0..3 {
        assert_eq!(count(worker.call(&args(0))), 1);
    }
    assert_eq!(prepared.0.runtime().metrics().instances_alive, 0);
}

#[test]
fn limits_are_of_each_call_and_a_failure_is_followed_by_a_new_instance() {
    let limits = Limits::none().with_fuel(200).with_memory(2 * PAGE);
    let prepared = prepare(limits);
    for mode in [InstanceMode::Shared, InstanceMode::PerCall] {
        let mut worker = worker(&prepared, mode, limits);
        for (what, kind) in [(1, ErrorKind::Trap), (2, ErrorKind::OutOfFuel), (3, ErrorKind::Trap)] {
            assert_eq!(count(worker.call(&args(0))), 1);
            let error = worker.call(&args(what)).unwrap_err();
            assert_eq!(error.kind(), kind, "{error}");
            if what == 3 {
                assert_eq!(error.trap_code(), Some(Trap::Unreachable));
                assert!(error.limit_exceeded().is_some(), "{error}");
            }
        }
        // Together they use more than the limit.
        for _ in 0..20 {
            worker.call(&args(0)).unwrap();
            assert!(worker.usage().fuel_used.is_some_and(|fuel| (10..=200).contains(&fuel)));
        }
    }
}
