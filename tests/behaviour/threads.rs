//! Threads: runtimes and modules can be shared, instances can move, and engines can trap at the same time.

use std::thread;

use wrun::{InstanceState, Trap, Value, WasmInstance};

use crate::vocabulary::{Engine, PAGE, engines, on_each, trapped};

const GUEST: &str = r#"
(module
  (memory (export "memory") 1)
  (table 1 funcref)
  (global $count (mut i32) (i32.const 0))
  (func (export "count") (result i32)
    (global.set $count (i32.add (global.get $count) (i32.const 1)))
    (global.get $count))
  (func (export "grow") (result i32) (memory.grow (i32.const 1)))
  (func (export "unreachable") (unreachable))
  (func (export "divide") (drop (i32.div_s (i32.const 1) (i32.const 0))))
  (func (export "load") (drop (i32.load (i32.const -1))))
  (func (export "null") (call_indirect (i32.const 0)))
  (func $endless (export "endless") (call $endless) (call $endless)))"#;

const TRAPS: [(&str, Trap); 5] = [
    ("unreachable", Trap::Unreachable),
    ("divide", Trap::IntegerDivideByZero),
    ("load", Trap::MemoryOutOfBounds),
    ("null", Trap::UninitializedElement),
    ("endless", Trap::StackOverflow),
];

#[test]
fn an_instance_moves_to_another_thread_and_back() {
    on_each(|engine| {
        let mut guest = engine.start(GUEST);
        assert_eq!(guest.call_simple_function("count", &[]).unwrap(), 1);
        let mut guest = thread::spawn(move || {
            assert_eq!(guest.call_simple_function("count", &[]).unwrap(), 2);
            trapped(guest.call("load", &[]), Trap::MemoryOutOfBounds);
            guest
        })
        .join()
        .unwrap();
        assert_eq!(guest.state(), InstanceState::Crashed);
        guest.recover();
        assert_eq!(guest.call_simple_function("count", &[]).unwrap(), 3);
        assert_eq!(guest.call_simple_function("grow", &[]).unwrap(), 1);
        assert_eq!(guest.memory_bytes(), 2 * PAGE);
    });
}

#[test]
fn a_handle_moves_with_its_instance() {
    let wat = r#"(module (func (export "double") (param i32) (result i32) (i32.add (local.get 0) (local.get 0))))"#;
    on_each(|engine| {
        let mut guest = engine.start(wat);
        let mut double = guest.function("double").unwrap();
        let result = thread::spawn(move || {
            let mut results = [Value::I32(0)];
            double.call(guest.as_mut(), &[Value::I32(21)], &mut results).map(|()| results[0])
        });
        assert_eq!(result.join().unwrap().unwrap(), Value::I32(42));
    });
}

#[test]
fn a_guest_with_host_functions_and_references_moves_too() {
    let wat = r#"
        (module
          (import "host" "next" (func $next (param externref) (result externref)))
          (func (export "next") (param externref) (result externref) (call $next (local.get 0))))"#;
    let ty = wrun::FuncType::new([wrun::ValType::ExternRef], [wrun::ValType::ExternRef]);
    let imports = wrun::HostImports::none().with_function("host", "next", ty, |_, args| match args {
        [Value::ExternRef(Some(n))] => Ok(vec![Value::ExternRef(Some(n + 1))]),
        _ => Err("no number".into()),
    });
    on_each(|engine| {
        let mut guest = engine.start_importing(&imports, wat).unwrap();
        guest.call("next", &[Value::ExternRef(Some(1))]).unwrap();
        let moved = thread::spawn(move || guest.call("next", &[Value::ExternRef(Some(2))]).unwrap());
        assert_eq!(moved.join().unwrap(), [Value::ExternRef(Some(3))]);
    });
}

#[test]
fn one_module_serves_several_threads() {
    on_each(|engine| {
        let module = engine.load(GUEST);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..20 {
                        let made = engine.instance_of(module.as_ref());
                        let mut guest = made.unwrap();
                        assert_eq!(guest.call_simple_function("count", &[]).unwrap(), 1);
                    }
                });
            }
        });
        let metrics = engine.runtime.metrics();
        assert_eq!((metrics.instances_created, metrics.instances_alive, metrics.calls), (80, 0, 80));
    });
}

#[test]
fn one_runtime_compiles_on_several_threads() {
    on_each(|engine| {
        thread::scope(|scope| {
            for number in 0..4 {
                scope.spawn(move || {
                    let wat = format!(r#"(module (func (export "f") (result i32) (i32.const {number})))"#);
                    assert_eq!(engine.start(&wat).call_simple_function("f", &[]).unwrap(), number);
                });
            }
        });
        assert_eq!(engine.runtime.metrics().modules_compiled, 4);
    });
}

#[test]
fn engines_trap_and_recover_beside_each_other_on_eight_threads() {
    let engines: Vec<Engine> = engines().collect();
    thread::scope(|scope| {
        for first in 0..8 {
            let engines = &engines;
            scope.spawn(move || {
                let mut guests: Vec<_> = engines.iter().map(|engine| engine.start(GUEST)).collect();
                for round in 0..60 {
                    let which = (first + round) % guests.len();
                    traps_and_recovers(guests[which].as_mut(), TRAPS[(first + round) % TRAPS.len()]);
                }
            });
        }
    });
    let traps: u64 = engines.iter().map(|engine| engine.runtime.metrics().traps).sum();
    assert_eq!(traps, 8 * 60);
}

#[test]
fn engines_trap_in_turn_on_one_thread() {
    let mut guests: Vec<_> = engines().map(|engine| engine.start(GUEST)).collect();
    for round in 0..40 {
        for guest in &mut guests {
            traps_and_recovers(guest.as_mut(), TRAPS[round % TRAPS.len()]);
        }
    }
}

#[track_caller]
fn traps_and_recovers(guest: &mut dyn WasmInstance, (name, trap): (&str, Trap)) {
    let counted = guest.call_simple_function("count", &[]).unwrap();
    trapped(guest.call(name, &[]), trap);
    assert_eq!(guest.state(), InstanceState::Crashed);
    guest.recover();
    assert_eq!(guest.call_simple_function("count", &[]).unwrap(), counted + 1);
}
