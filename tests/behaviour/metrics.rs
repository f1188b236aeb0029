//! Metrics of a runtime: modules, instances, calls, traps and memory, also after instances are dropped.

use wrun::{ErrorKind, FuncType, HostImports, Limits, RuntimeMetrics, Trap};

use crate::vocabulary::{Engine, PAGE, engines, on_each, refused, trapped};

const GUEST: &str = r#"
(module
  (memory 2)
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "nothing"))
  (func (export "trap") (unreachable)))"#;

fn metrics(engine: &Engine) -> RuntimeMetrics {
    engine.runtime.metrics()
}

#[test]
fn a_new_runtime_has_done_nothing() {
    on_each(|engine| assert_eq!(metrics(engine), RuntimeMetrics::default()));
}

#[test]
fn modules_are_counted_by_the_runtime_that_compiles_them() {
    on_each(|engine| {
        engine.load(GUEST);
        engine.load(GUEST);
        refused(engine.runtime.load_module(b"(module"), ErrorKind::InvalidModule);
        assert_eq!(metrics(engine).modules_compiled, 2);
        assert_eq!(metrics(engine).instances_created, 0);
    });
}

#[test]
fn instances_are_counted_alive_and_made() {
    on_each(|engine| {
        let first = engine.start(GUEST);
        let second = engine.start(GUEST);
        assert_eq!((metrics(engine).instances_alive, metrics(engine).instances_created), (2, 2));
        drop(first);
        assert_eq!((metrics(engine).instances_alive, metrics(engine).instances_created), (1, 2));
        drop(second);
        assert_eq!((metrics(engine).instances_alive, metrics(engine).instances_created), (0, 2));
    });
}

#[test]
fn an_instance_that_was_refused_was_never_made() {
    on_each(|engine| {
        refused(engine.start_within(Limits::none().with_memory(PAGE), GUEST), ErrorKind::Limit);
        refused(engine.try_start(r#"(module (import "a" "b" (func)))"#), ErrorKind::Unlinkable);
        trapped(engine.try_start("(module (func unreachable) (start 0))"), Trap::Unreachable);
        let metrics = metrics(engine);
        assert_eq!((metrics.instances_created, metrics.instances_alive, metrics.memory_bytes), (0, 0, 0));
    });
}

#[test]
fn calls_and_traps_are_counted_and_outlive_their_instance() {
    on_each(|engine| {
        let mut first = engine.start(GUEST);
        let mut second = engine.start(GUEST);
        for _ in 0..3 {
            first.call("nothing", &[]).unwrap();
        }
        trapped(second.call("trap", &[]), Trap::Unreachable);
        assert_eq!((metrics(engine).calls, metrics(engine).traps), (4, 1));
        drop(first);
        drop(second);
        assert_eq!((metrics(engine).calls, metrics(engine).traps), (4, 1));
        engine.start(GUEST).call("nothing", &[]).unwrap();
        assert_eq!((metrics(engine).calls, metrics(engine).traps), (5, 1));
    });
}

#[test]
fn a_call_that_was_refused_is_not_counted() {
    on_each(|engine| {
        let mut guest = engine.start(GUEST);
        refused(guest.call("nothin", &[]), ErrorKind::UnknownExport);
        refused(guest.call("grow", &[]), ErrorKind::InvalidArgument);
        assert_eq!(metrics(engine).calls, 0);
        trapped(guest.call("trap", &[]), Trap::Unreachable);
        refused(guest.call("nothing", &[]), ErrorKind::Crashed);
        assert_eq!((metrics(engine).calls, metrics(engine).traps), (1, 1));
    });
}

#[test]
fn an_error_of_the_host_counts_as_a_trap() {
    on_each(|engine| {
        let wat = r#"(module (import "host" "f" (func $f)) (func (export "call") (call $f)))"#;
        let imports = HostImports::none().with_function("host", "f", FuncType::default(), |_, _| Err("no".into()));
        let mut guest = engine.start_importing(&imports, wat).unwrap();
        trapped(guest.call("call", &[]), Trap::Host);
        assert_eq!((metrics(engine).calls, metrics(engine).traps), (1, 1));
    });
}

#[test]
fn memory_in_use_is_the_sum_over_the_living() {
    on_each(|engine| {
        let mut first = engine.start(GUEST);
        let second = engine.start(GUEST);
        assert_eq!(metrics(engine).memory_bytes, 4 * PAGE);
        assert_eq!(first.call_simple_function("grow", &[3]).unwrap(), 2);
        assert_eq!((metrics(engine).memory_bytes, metrics(engine).memory_peak_bytes), (7 * PAGE, 7 * PAGE));
        drop(first);
        assert_eq!((metrics(engine).memory_bytes, metrics(engine).memory_peak_bytes), (2 * PAGE, 2 * PAGE));
        drop(second);
        assert_eq!((metrics(engine).memory_bytes, metrics(engine).memory_peak_bytes), (0, 0));
    });
}

#[test]
fn a_crashed_instance_is_alive_and_keeps_its_memory() {
    on_each(|engine| {
        let mut guest = engine.start(GUEST);
        trapped(guest.call("trap", &[]), Trap::Unreachable);
        assert_eq!((metrics(engine).instances_alive, metrics(engine).memory_bytes), (1, 2 * PAGE));
    });
}

#[test]
fn each_runtime_counts_for_itself() {
    on_each(|engine| {
        let others: Vec<_> = engines().collect();
        engine.start(GUEST).call("nothing", &[]).unwrap();
        assert!(others.iter().all(|other| metrics(other) == RuntimeMetrics::default()));
    });
}

#[test]
fn a_handle_that_outlives_its_instance_keeps_nothing_alive() {
    on_each(|engine| {
        let mut guest = engine.start(GUEST);
        let handle = guest.function("nothing").unwrap();
        drop(guest);
        assert_eq!((metrics(engine).instances_alive, metrics(engine).memory_bytes), (0, 0));
        drop(handle);
    });
}
