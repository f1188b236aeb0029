//! Many calls of one function: shared and new instances, the limits of each call, and calls after a failure.

use std::num::NonZeroU32;
use std::time::Duration;

use wrun::session::{InstanceMode, InstanceOptions, PreparedCode, Session, Worker, WorkerOptions};
use wrun::{
    CallArgs, CallResult, Callable, ErrorKind, Exit, FuncType, HostImports, LimitKind, Limits, Result, RuntimeConfig,
    Trap, Value,
};

use crate::vocabulary::{Engine, PAGE, assert_contains, on_each, refused, trapped};

const COUNTER: &str = r#"
(module
  (import "host" "panic" (func $panic))
  (import "host" "exit" (func $exit))
  (memory 1)
  (table $table 1 100 funcref)
  (global $calls (mut i32) (i32.const 0))
  ;; Counts the calls of the instance. The argument selects how the call ends.
  (func (export "work") (param $what i32) (result i32)
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (if (i32.eq (local.get $what) (i32.const 1)) (then (unreachable)))
    (if (i32.eq (local.get $what) (i32.const 2)) (then (call $panic)))
    (if (i32.eq (local.get $what) (i32.const 3)) (then (call $exit)))
    (if (i32.eq (local.get $what) (i32.const 4)) (then (loop $again (br $again))))
    (if (i32.eq (local.get $what) (i32.const 5))
      (then (if (i32.eq (memory.grow (i32.const 100)) (i32.const -1)) (then (unreachable)))))
    (if (i32.eq (local.get $what) (i32.const 6))
      (then (if (i32.eq (table.grow $table (ref.null func) (i32.const 50)) (i32.const -1)) (then (unreachable)))))
    (if (i32.eq (local.get $what) (i32.const 7)) (then (drop (memory.grow (i32.const 1)))))
    (global.get $calls)))"#;

const RETURN: i32 = 0;
const TRAP: i32 = 1;
const PANIC: i32 = 2;
const EXIT: i32 = 3;
const SPIN: i32 = 4;
const GROW_MEMORY: i32 = 5;
const GROW_TABLE: i32 = 6;
const GROW_A_PAGE: i32 = 7;

fn imports() -> HostImports {
    HostImports::none()
        .with_function("host", "panic", FuncType::default(), |_, _| panic!("the host gave up"))
        .with_function("host", "exit", FuncType::default(), |_, _| Err(Exit(7).into()))
}

fn config(engine: &Engine) -> RuntimeConfig {
    RuntimeConfig::new(engine.kind).with_compiler(engine.compiler).with_metering().with_interruption()
}

fn prepare(config: &RuntimeConfig, wat: &str, function: &str, limits: Limits) -> (PreparedCode, Callable) {
    let session = Session::open(config, wat.as_bytes(), None).unwrap();
    let callable = session.function(function).unwrap();
    let mut options = InstanceOptions::default().with_limits(limits);
    options.imports = imports();
    (session.prepare(options, &|_| {}).unwrap(), callable)
}

fn options(instance: InstanceMode, limits: Limits) -> WorkerOptions {
    let mut options = WorkerOptions::default();
    (options.instance, options.limits) = (instance, limits);
    options
}

fn args(what: i32) -> CallArgs {
    vec![Value::I32(what)].into()
}

fn number(result: Result<&CallResult>) -> i32 {
    match result.unwrap() {
        CallResult::Core(values) => match values[..] {
            [Value::I32(number)] => number,
            ref other => panic!("{other:?} is not a number"),
        },
        other => panic!("{other:?} is not of a module"),
    }
}

/// Runs `case` with a worker for `work` in this mode, on each engine, also with pooled instances.
#[track_caller]
fn with_worker(mode: InstanceMode, limits: Limits, case: impl Fn(&mut Worker<'_>)) {
    on_each(|engine| {
        for config in [config(engine), config(engine).with_pooled_instances(NonZeroU32::MIN)] {
            let (code, callable) = prepare(&config, COUNTER, "work", limits);
            case(&mut Worker::new(&code, &callable, options(mode, limits)));
        }
    });
}

#[test]
fn calls_share_an_instance() {
    with_worker(InstanceMode::Shared, Limits::none(), |worker| {
        for count in 1..=3 {
            assert_eq!(number(worker.call(&args(RETURN))), count);
        }
    });
}

#[test]
fn each_call_has_a_new_instance() {
    with_worker(InstanceMode::PerCall, Limits::none(), |worker| {
        for _ in 0..3 {
            assert_eq!(number(worker.call(&args(RETURN))), 1);
        }
    });
}

/// Each way of failing: the error, and that the next call begins in a new instance.
#[test]
fn after_a_failure_the_next_call_has_a_new_instance() {
    let limits = Limits::none().with_memory(2 * PAGE).with_table_elements(10).with_fuel(10_000);
    for mode in [InstanceMode::Shared, InstanceMode::PerCall] {
        with_worker(mode, limits, |worker| {
            let mut fails = |what: i32, check: &dyn Fn(Result<&CallResult>)| {
                assert_eq!(number(worker.call(&args(RETURN))), 1, "before {what}");
                check(worker.call(&args(what)));
                assert_eq!(number(worker.call(&args(RETURN))), 1, "after {what}");
                check(worker.call(&args(what)));
            };
            fails(TRAP, &|failed| _ = trapped(failed, Trap::Unreachable));
            fails(PANIC, &|failed| {
                assert_contains(refused(failed, ErrorKind::Internal).message(), &["the host gave up"]);
            });
            fails(EXIT, &|failed| assert_eq!(refused(failed, ErrorKind::Exited).exit_code(), Some(7)));
            fails(SPIN, &|failed| _ = refused(failed, ErrorKind::OutOfFuel));
            for (what, kind) in [(GROW_MEMORY, LimitKind::Memory), (GROW_TABLE, LimitKind::TableElements)] {
                fails(what, &|failed| {
                    let error = trapped(failed, Trap::Unreachable);
                    assert_eq!(error.limit_exceeded().map(|exceeded| exceeded.kind), Some(kind));
                });
            }
        });
    }
}

#[test]
fn wrong_arguments_do_not_replace_the_instance() {
    with_worker(InstanceMode::Shared, Limits::none(), |worker| {
        assert_eq!(number(worker.call(&args(RETURN))), 1);
        let _ = refused(worker.call(&vec![Value::I64(0)].into()), ErrorKind::InvalidArgument);
        assert_eq!(number(worker.call(&args(RETURN))), 2);
    });
}

#[test]
fn fuel_is_a_limit_of_each_call() {
    for mode in [InstanceMode::Shared, InstanceMode::PerCall] {
        with_worker(mode, Limits::none().with_fuel(40), |worker| {
            for _ in 0..20 {
                worker.call(&args(RETURN)).unwrap();
                let used = worker.usage().fuel_used.unwrap();
                assert!((20..=40).contains(&used), "a call used {used}");
            }
            assert_eq!(refused(worker.call(&args(SPIN)), ErrorKind::OutOfFuel).limit_exceeded().unwrap().limit, 40);
            worker.call(&args(RETURN)).unwrap();
        });
    }
}

#[test]
fn time_is_a_limit_of_each_call() {
    let limit = Duration::from_millis(500);
    for mode in [InstanceMode::Shared, InstanceMode::PerCall] {
        with_worker(mode, Limits::none().with_time(limit), |worker| {
            for _ in 0..2 {
                let _ = refused(worker.call(&args(SPIN)), ErrorKind::Timeout);
                worker.call(&args(RETURN)).unwrap();
            }
            assert_eq!(worker.usage().call_ns, None, "time is only measured on request");
        });
    }
}

/// The time of earlier calls does not count: together these take longer than the limit.
#[test]
fn the_time_of_earlier_calls_does_not_count() {
    const SLEEP: &str = r#"(module (import "host" "sleep" (func $sleep)) (func (export "work") (call $sleep)))"#;
    on_each(|engine| {
        let session = Session::open(&config(engine), SLEEP.as_bytes(), None).unwrap();
        let callable = session.function("work").unwrap();
        let limits = Limits::none().with_time(Duration::from_millis(1500));
        let mut instances = InstanceOptions::default().with_limits(limits);
        instances.imports = HostImports::none().with_function("host", "sleep", FuncType::default(), |_, _| {
            std::thread::sleep(Duration::from_millis(200));
            Ok(Vec::new())
        });
        let code = session.prepare(instances, &|_| {}).unwrap();
        let mut worker = Worker::new(&code, &callable, options(InstanceMode::Shared, limits));
        for _ in 0..10 {
            worker.call(&Vec::<Value>::new().into()).unwrap();
        }
    });
}

#[test]
fn the_use_of_a_call_is_measured() {
    on_each(|engine| {
        let (code, callable) = prepare(&config(engine), COUNTER, "work", Limits::none());
        let mut options = options(InstanceMode::Shared, Limits::none());
        options.measure_time = true;
        let mut worker = Worker::new(&code, &callable, options);
        worker.call(&args(RETURN)).unwrap();
        let first = worker.usage();
        assert!(first.call_ns.is_some_and(|ns| ns > 0));
        assert_eq!(first.memory_peak_bytes, PAGE);
        worker.call(&args(RETURN)).unwrap();
        assert_eq!(worker.usage().fuel_used, first.fuel_used, "the fuel of one call, not of all");
        worker.call(&args(GROW_A_PAGE)).unwrap();
        assert_eq!(worker.usage().memory_peak_bytes, 2 * PAGE);
        let _ = trapped(worker.call(&args(TRAP)), Trap::Unreachable);
        assert_eq!(worker.usage().fuel_used, None, "unknown after a trap");
    });
}

#[test]
fn a_start_function_and_initialize_run_in_each_new_instance() {
    const STARTED: &str = r#"
    (module
      (global $state (mut i32) (i32.const 1))
      (func $start (global.set $state (i32.add (global.get $state) (i32.const 10))))
      (start $start)
      (func (export "_initialize") (global.set $state (i32.mul (global.get $state) (i32.const 3))))
      (func (export "next") (result i32)
        (global.set $state (i32.add (global.get $state) (i32.const 1)))
        (global.get $state)))"#;
    on_each(|engine| {
        let (code, callable) = prepare(&config(engine), STARTED, "next", Limits::none());
        let none = CallArgs::Core(Vec::new());
        let mut shared = Worker::new(&code, &callable, options(InstanceMode::Shared, Limits::none()));
        assert_eq!([(); 3].map(|()| number(shared.call(&none))), [34, 35, 36]);
        let mut new = Worker::new(&code, &callable, options(InstanceMode::PerCall, Limits::none()));
        assert_eq!([(); 3].map(|()| number(new.call(&none))), [34, 34, 34]);
    });
}

#[test]
fn initialize_runs_once_if_it_is_the_function() {
    const ONCE: &str = r#"
    (module
      (global $ran (mut i32) (i32.const 0))
      (func (export "_initialize")
        (if (global.get $ran) (then (unreachable)))
        (global.set $ran (i32.const 1))))"#;
    on_each(|engine| {
        let (code, callable) = prepare(&config(engine), ONCE, "_initialize", Limits::none());
        let none = CallArgs::Core(Vec::new());
        let mut shared = Worker::new(&code, &callable, options(InstanceMode::Shared, Limits::none()));
        shared.call(&none).unwrap();
        let _ = trapped(shared.call(&none), Trap::Unreachable);
        let mut new = Worker::new(&code, &callable, options(InstanceMode::PerCall, Limits::none()));
        new.start().unwrap();
        for _ in 0..2 {
            new.call(&none).unwrap();
        }
    });
}

/// A start function that traps, exits, or does not end fails each call, and each call tries again.
#[test]
fn a_start_function_that_fails_fails_the_call() {
    let started = |body: &str| {
        format!(
            r#"(module
                 (import "host" "exit" (func $exit))
                 (func $start {body})
                 (start $start)
                 (func (export "work")))"#
        )
    };
    let limits = Limits::none().with_fuel(1000);
    for (body, kind) in [
        ("unreachable", ErrorKind::Trap),
        ("call $exit", ErrorKind::Exited),
        ("(loop $again (br $again))", ErrorKind::OutOfFuel),
    ] {
        on_each(|engine| {
            let (code, callable) = prepare(&config(engine), &started(body), "work", limits);
            for mode in [InstanceMode::Shared, InstanceMode::PerCall] {
                let mut worker = Worker::new(&code, &callable, options(mode, limits));
                for _ in 0..2 {
                    let _ = refused(worker.call(&Vec::<Value>::new().into()), kind);
                }
            }
        });
    }
}

#[test]
fn a_worker_can_start_before_its_first_call() {
    const TRAPS: &str = r#"(module (func $start unreachable) (start $start) (func (export "work")))"#;
    for mode in [InstanceMode::Shared, InstanceMode::PerCall] {
        with_worker(mode, Limits::none(), |worker| {
            worker.start().unwrap();
            assert_eq!(worker.code().runtime().metrics().instances_created, 1);
            assert_eq!(number(worker.call(&args(RETURN))), 1);
            assert_eq!(worker.code().runtime().metrics().instances_created, 1);
        });
        on_each(|engine| {
            let (code, callable) = prepare(&config(engine), TRAPS, "work", Limits::none());
            let mut worker = Worker::new(&code, &callable, options(mode, Limits::none()));
            let _ = trapped(worker.start(), Trap::Unreachable);
        });
    }
}

/// Instances are dropped: a batch of many calls does not keep them.
#[test]
fn no_instance_is_left_after_its_call() {
    with_worker(InstanceMode::PerCall, Limits::none(), |worker| {
        for what in [RETURN, TRAP, EXIT, PANIC, RETURN] {
            let _ = worker.call(&args(what));
            assert_eq!(worker.code().runtime().metrics().instances_alive, 0);
        }
    });
}
