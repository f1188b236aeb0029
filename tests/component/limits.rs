//! The limits of a component: memory, tables, counts, stack, fuel, time and host memory.

use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use wrun::{
    ComponentImports, ErrorKind, InstanceState, LimitKind, Limits, RuntimeConfig, Trap, WasmComponentInstance, WitValue,
};

use crate::vocabulary::{Engine, PAGE, assert_contains, call, core, refused, returned, trapped};

/// Two core instances, each with a memory of a page that `grow-a` and `grow-b` grow.
const TWO_MEMORIES: &str = r#"(component
    (core module $m
        (memory 1)
        (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
        (func (export "grow-or-trap") (param i32)
            (if (i32.eq (i32.const -1) (memory.grow (local.get 0))) (then (unreachable)))))
    (core instance $a (instantiate $m))
    (core instance $b (instantiate $m))
    (func (export "grow-a") (param "pages" u32) (result s32) (canon lift (core func $a "grow")))
    (func (export "grow-b") (param "pages" u32) (result s32) (canon lift (core func $b "grow")))
    (func (export "grow-or-trap") (param "pages" u32) (canon lift (core func $b "grow-or-trap"))))"#;

/// A component whose core module has these functions and exports them lifted, without parameters and results.
fn plain(body: &str, names: &[&str]) -> String {
    let core = core(body);
    let exports: String =
        names.iter().map(|name| format!(r#"(func (export "{name}") (canon lift (core func $i "{name}")))"#)).collect();
    format!("(component {core} {exports})")
}

const LOOP: &str = r#"(func (export "loop") (loop $forever (br $forever)))"#;

#[test]
fn memory_counts_for_all_core_instances_together() {
    let limits = Limits::none().with_memory(4 * PAGE);
    let mut instance = Engine::new().start_within(limits, TWO_MEMORIES).expect("two pages fit");
    let instance = instance.as_mut();
    assert_eq!(instance.memory_bytes(), 2 * PAGE);
    assert_eq!(returned(instance, "grow-a", &[WitValue::U32(1)]), WitValue::S32(1));
    assert_eq!(returned(instance, "grow-b", &[WitValue::U32(2)]), WitValue::S32(-1));
    assert_eq!(returned(instance, "grow-b", &[WitValue::U32(1)]), WitValue::S32(1));
    assert_eq!(returned(instance, "grow-a", &[WitValue::U32(1)]), WitValue::S32(-1));
    assert_eq!((instance.memory_bytes(), instance.memory_peak_bytes()), (4 * PAGE, 4 * PAGE));
}

#[test]
fn a_trap_after_a_denied_growth_names_the_limit() {
    let limits = Limits::none().with_memory(4 * PAGE);
    let mut instance = Engine::new().start_within(limits, TWO_MEMORIES).expect("two pages fit");
    let error = trapped(call(instance.as_mut(), "grow-or-trap", &[WitValue::U32(3)]), Trap::Unreachable);
    let exceeded = error.limit_exceeded().expect("the limit denied the growth");
    assert_eq!((exceeded.kind, exceeded.limit, exceeded.attempted), (LimitKind::Memory, 4 * PAGE, 5 * PAGE));
}

#[test]
fn memories_that_do_not_fit_are_refused_at_instantiation() {
    let limits = Limits::none().with_memory(PAGE);
    let error = refused(Engine::new().start_within(limits, TWO_MEMORIES), ErrorKind::Limit);
    let exceeded = error.limit_exceeded().expect("the limit refused the memory");
    assert_eq!((exceeded.kind, exceeded.limit, exceeded.attempted), (LimitKind::Memory, PAGE, 2 * PAGE));
}

#[test]
fn tables_are_limited() {
    let wat = plain(
        r#"(table 10 funcref)
        (func (export "grow")
            (if (i32.eq (i32.const -1) (table.grow (ref.null func) (i32.const 10))) (then (unreachable))))"#,
        &["grow"],
    );
    let engine = Engine::new();
    let error = refused(engine.start_within(Limits::none().with_table_elements(9), &wat), ErrorKind::Limit);
    assert_eq!(error.limit_exceeded().map(|exceeded| exceeded.kind), Some(LimitKind::TableElements));
    let mut instance = engine.start_within(Limits::none().with_table_elements(20), &wat).expect("the table fits");
    call(instance.as_mut(), "grow", &[]).expect("20 elements are allowed");
    let error = trapped(call(instance.as_mut(), "grow", &[]), Trap::Unreachable);
    assert_eq!(error.limit_exceeded().map(|exceeded| exceeded.attempted), Some(30));
}

#[test]
fn tables_count_together() {
    let wat = r#"(component
        (core module $m
            (table 10 funcref)
            (func (export "grow") (param i32) (result i32) (table.grow (ref.null func) (local.get 0))))
        (core instance $a (instantiate $m))
        (core instance $b (instantiate $m))
        (func (export "grow-a") (param "elements" u32) (result s32) (canon lift (core func $a "grow")))
        (func (export "grow-b") (param "elements" u32) (result s32) (canon lift (core func $b "grow"))))"#;
    let engine = Engine::new();
    let grow = |instance: &mut dyn WasmComponentInstance, name: &str, elements: u32| {
        returned(instance, name, &[WitValue::U32(elements)])
    };
    let error = refused(engine.start_within(Limits::none().with_table_elements(19), wat), ErrorKind::Limit);
    assert_eq!(error.limit_exceeded().map(|exceeded| exceeded.attempted), Some(20));
    let mut instance = engine.start_within(Limits::none().with_table_elements(40), wat).expect("both tables fit");
    assert_eq!(grow(instance.as_mut(), "grow-a", 15), WitValue::S32(10));
    assert_eq!(grow(instance.as_mut(), "grow-b", 6), WitValue::S32(-1));
    assert_eq!(grow(instance.as_mut(), "grow-b", 5), WitValue::S32(10));
    assert_eq!(grow(instance.as_mut(), "grow-a", 1), WitValue::S32(-1));

    let mut instance = engine.start(wat);
    assert_eq!(grow(instance.as_mut(), "grow-a", 100_000_000), WitValue::S32(-1));
    assert_eq!(grow(instance.as_mut(), "grow-a", 1_000), WitValue::S32(10));
}

#[test]
fn core_instances_are_limited() {
    // Two instances of one component, since a component alone cannot have so many.
    let nested = |count: usize| {
        let instances = "(core instance (instantiate $m))".repeat(count);
        let inner = format!("(component $inner (core module $m (memory 0)) {instances})");
        format!("(component {inner} (instance (instantiate $inner)) (instance (instantiate $inner)))")
    };
    let engine = Engine::new();
    engine.start(&nested(500));
    let error = refused(engine.start_within(Limits::none(), &nested(501)), ErrorKind::Limit);
    assert_contains(error.message(), &["instance count", "1001"]);
}

#[test]
fn the_stack_is_limited_as_for_modules() {
    let wat = r#"(component
        (core module $m
            (global $depth (mut i32) (i32.const 0))
            (func $dive (export "dive") (global.set $depth (i32.add (global.get $depth) (i32.const 1))) (call $dive))
            (func (export "go") (param $levels i32)
                (if (local.get $levels) (then (call $again (i32.sub (local.get $levels) (i32.const 1))))))
            (func $again (param $levels i32)
                (if (local.get $levels) (then (call $again (i32.sub (local.get $levels) (i32.const 1)))))))
        (core instance $i (instantiate $m))
        (func (export "dive") (canon lift (core func $i "dive")))
        (func (export "go") (param "levels" u32) (canon lift (core func $i "go"))))"#;
    let levels = |stack: u64| {
        let engine = Engine::configured(&RuntimeConfig::wasmtime().with_max_stack(stack));
        let mut deepest = 0;
        for levels in [1_000, 10_000, 100_000, 1_000_000] {
            match call(engine.start(wat).as_mut(), "go", &[WitValue::U32(levels)]) {
                Ok(_) => deepest = levels,
                Err(error) => assert_eq!(error.trap_code(), Some(Trap::StackOverflow), "{error}"),
            }
        }
        trapped(call(engine.start(wat).as_mut(), "dive", &[]), Trap::StackOverflow);
        deepest
    };
    assert_eq!(levels(64 << 10), 1_000);
    assert_eq!(levels(8 << 20), 100_000);
    // The guest does not run on the caller's stack.
    let small = thread::Builder::new().stack_size(256 << 10).spawn(move || levels(8 << 20));
    assert_eq!(small.expect("there is a thread").join().expect("it does not panic"), 100_000);
}

#[test]
fn fuel_is_counted_and_limited() {
    let wat = plain(
        r#"(func (export "ten") (drop (i32.add (i32.const 1) (i32.add (i32.const 1) (i32.add (i32.const 1)
            (i32.add (i32.const 1) (i32.const 1)))))))
        (func (export "loop") (loop $forever (br $forever)))"#,
        &["ten", "loop"],
    );
    let engine = Engine::metered();
    let mut instance = engine.start_within(Limits::none().with_fuel(1_000), &wat).expect("it starts");
    let instance = instance.as_mut();
    let before = instance.fuel_used().expect("fuel is metered");
    call(instance, "ten", &[]).expect("there is fuel");
    let used = instance.fuel_used().expect("fuel is metered") - before;
    // One for the function, and nine operators.
    assert_eq!(used, 10);
    assert_eq!(instance.fuel_remaining(), Some(1_000 - before - used));
    let error = refused(call(instance, "loop", &[]), ErrorKind::OutOfFuel);
    let exceeded = error.limit_exceeded().expect("the limit was exceeded");
    assert_eq!((exceeded.kind, exceeded.limit), (LimitKind::Fuel, 1_000));
    refused(call(instance, "ten", &[]), ErrorKind::Crashed);
}

#[test]
fn fuel_counts_the_same_in_each_run_and_can_be_added() {
    let wat = plain(LOOP, &["loop"]);
    let engine = Engine::metered();
    let runs: Vec<_> = (0..2)
        .map(|_| {
            let mut instance = engine.start(&wat);
            instance.reset_fuel(500).expect("fuel is metered");
            instance.add_fuel(500).expect("fuel is metered");
            let error = refused(call(instance.as_mut(), "loop", &[]), ErrorKind::OutOfFuel);
            (error.limit_exceeded().map(|exceeded| exceeded.limit), instance.fuel_used())
        })
        .collect();
    assert_eq!(runs, [(Some(1_000), Some(1_000)), (Some(1_000), Some(1_000))]);
}

#[test]
fn fuel_is_unknown_after_a_trap() {
    let wat = plain(r#"(func (export "trap") (unreachable))"#, &["trap"]);
    let mut instance = Engine::metered().start(&wat);
    trapped(call(instance.as_mut(), "trap", &[]), Trap::Unreachable);
    assert_eq!(instance.fuel_used(), None);
}

#[test]
fn start_functions_of_core_modules_are_limited() {
    let wat = "(component (core module $m (func $start (loop $forever (br $forever))) (start $start))
        (core instance (instantiate $m)))";
    let engine = Engine::metered();
    refused(engine.start_within(Limits::none().with_fuel(1_000), wat), ErrorKind::OutOfFuel);
    refused(engine.start_within(Limits::none().with_time(Duration::from_millis(50)), wat), ErrorKind::Timeout);
}

#[test]
fn running_code_is_stopped_by_its_time_limit() {
    let engine = Engine::metered();
    let limits = Limits::none().with_time(Duration::from_millis(50));
    let mut instance = engine.start_within(limits, &plain(LOOP, &["loop"])).expect("it starts");
    let error = refused(call(instance.as_mut(), "loop", &[]), ErrorKind::Timeout);
    assert_eq!(error.limit_exceeded().map(|exceeded| exceeded.kind), Some(LimitKind::Time));
    assert_eq!(instance.state(), InstanceState::Crashed);
}

#[test]
fn a_wait_for_the_host_is_stopped_by_its_time_limit() {
    // The subtask for which the guest waits never ends.
    let wat = r#"(component
        (import "forever" (func $forever))
        (core func $forever (canon lower (func $forever)))
        (core module $m (import "" "forever" (func $forever)) (func (export "wait") (call $forever)))
        (core instance $i (instantiate $m (with "" (instance (export "forever" (func $forever))))))
        (func (export "wait") (canon lift (core func $i "wait"))))"#;
    let imports = ComponentImports::default().with("", "forever", |token, _| {
        loop {
            token.check_interrupt()?;
            thread::sleep(Duration::from_millis(1));
        }
    });
    let limits = Limits::none().with_time(Duration::from_millis(50));
    let mut instance = Engine::metered().try_start(limits, wat, &imports).expect("it starts");
    refused(call(instance.as_mut(), "wait", &[]), ErrorKind::Timeout);
}

#[test]
fn a_running_call_is_interrupted_from_another_thread() {
    let mut instance = Engine::metered().start(&plain(LOOP, &["loop"]));
    let control = instance.control();
    let both = Barrier::new(2);
    thread::scope(|scope| {
        scope.spawn(|| {
            both.wait();
            while !control.interrupt().expect("it is interruptible") {
                thread::yield_now();
            }
        });
        both.wait();
        refused(call(instance.as_mut(), "loop", &[]), ErrorKind::Interrupted);
    });
    let error = refused(call(instance.as_mut(), "loop", &[]), ErrorKind::Crashed);
    assert_contains(error.message(), &["stopped"]);
}

#[test]
fn a_shut_down_runtime_refuses_calls_and_counts_them() {
    let engine = Engine::metered();
    let wat = plain(r#"(func (export "nothing"))"#, &["nothing"]);
    let mut instance = engine.start(&wat);
    call(instance.as_mut(), "nothing", &[]).expect("it runs");
    let metrics = engine.runtime.metrics();
    assert_eq!((metrics.modules_compiled, metrics.instances_alive, metrics.calls), (1, 1, 1));
    assert_eq!(metrics.memory_bytes, PAGE);
    let shutdown = engine.runtime.shutdown(Duration::ZERO);
    assert_eq!((shutdown.running, shutdown.instances_alive), (0, 1));
    refused(call(instance.as_mut(), "nothing", &[]), ErrorKind::ShutDown);
    refused(engine.runtime.load_component(wat.as_bytes()), ErrorKind::ShutDown);
}

#[test]
fn limits_that_the_runtime_does_not_enforce_are_refused() {
    let wat = plain("", &[]);
    let engine = Engine::new();
    for limits in [Limits::none().with_fuel(1), Limits::none().with_time(Duration::from_secs(1))] {
        refused(engine.start_within(limits, &wat), ErrorKind::UnsupportedConfig);
    }
}

/// Returns a list of as many bytes as the guest says, from address 0 on.
fn bytes() -> String {
    let core = core(
        r#"(func (export "bytes") (param $count i32) (result i32)
            (drop (memory.grow (i32.div_u (local.get $count) (i32.const 65536))))
            (i32.store (i32.const 8) (i32.const 0))
            (i32.store (i32.const 12) (local.get $count))
            (i32.const 8))"#,
    );
    format!(
        r#"(component {core}
            (func (export "bytes") (param "count" u32) (result (list u8))
                (canon lift (core func $i "bytes") (memory $i "memory"))))"#
    )
}

#[test]
fn what_the_host_allocates_for_results_is_limited() {
    let engine = Engine::new();
    let mut instance = engine.start(&bytes());
    match returned(instance.as_mut(), "bytes", &[WitValue::U32(4 << 20)]) {
        WitValue::Bytes(bytes) => assert_eq!(bytes.len(), 4 << 20),
        other => panic!("{other:?} are not bytes"),
    }
    let error = trapped(call(instance.as_mut(), "bytes", &[WitValue::U32(1 << 30)]), Trap::Other);
    assert_contains(error.message(), &["too much data"]);

    let limits = Limits::none().with_memory(2 << 20);
    let mut instance = engine.start_within(limits, &bytes()).expect("it fits");
    returned(instance.as_mut(), "bytes", &[WitValue::U32(200 << 10)]);
    let error = trapped(call(instance.as_mut(), "bytes", &[WitValue::U32(1 << 20)]), Trap::Other);
    assert_contains(error.message(), &["too much data"]);
}

#[test]
fn a_list_longer_than_the_memory_traps_at_once() {
    let wat = bytes().replace("(drop (memory.grow (i32.div_u (local.get $count) (i32.const 65536))))", "");
    let mut instance = Engine::new().start(&wat);
    let error = trapped(call(instance.as_mut(), "bytes", &[WitValue::U32(u32::MAX)]), Trap::Other);
    assert_contains(error.message(), &["out of bounds"]);
}

#[test]
fn an_argument_that_does_not_fit_the_memory_traps() {
    let core = core(r#"(func (export "text") (param i32 i32))"#);
    let wat = format!(
        r#"(component {core} (func (export "text") (param "text" string)
            (canon lift (core func $i "text") (memory $i "memory") (realloc (func $i "realloc")))))"#
    );
    let limits = Limits::none().with_memory(2 * PAGE);
    let mut instance = Engine::new().start_within(limits, &wat).expect("it fits");
    let text = WitValue::String("x".repeat(1 << 20));
    let error = trapped(call(instance.as_mut(), "text", &[text]), Trap::Unreachable);
    assert_eq!(error.limit_exceeded().map(|exceeded| exceeded.kind), Some(LimitKind::Memory));
}

#[test]
#[cfg(feature = "wasi-p3")]
fn a_flood_of_tasks_ends_in_a_trap() {
    let wat = r#"(component
        (component $inner
            (core func $new (canon waitable-set.new))
            (core module $libc (memory (export "memory") 1))
            (core instance $libc (instantiate $libc))
            (core func $wait (canon waitable-set.wait (memory $libc "memory")))
            (core module $m
                (import "" "new" (func $new (result i32)))
                (import "" "wait" (func $wait (param i32 i32) (result i32)))
                (func (export "hang") (drop (call $wait (call $new) (i32.const 0)))))
            (core instance $i (instantiate $m (with "" (instance
                (export "new" (func $new)) (export "wait" (func $wait))))))
            (func (export "hang") async (canon lift (core func $i "hang") async)))
        (component $outer
            (import "hang" (func $hang async))
            (core func $hang (canon lower (func $hang) async))
            (core module $m
                (import "" "hang" (func $hang (result i32)))
                (func (export "flood") (param $count i32)
                    (loop $more
                        (drop (call $hang))
                        (br_if $more (local.tee $count (i32.sub (local.get $count) (i32.const 1)))))))
            (core instance $i (instantiate $m (with "" (instance (export "hang" (func $hang))))))
            (func (export "flood") (param "count" u32) (canon lift (core func $i "flood"))))
        (instance $inner (instantiate $inner))
        (instance $outer (instantiate $outer (with "hang" (func $inner "hang"))))
        (func (export "flood") (alias export $outer "flood")))"#;
    let mut instance = Engine::new().start(wat);
    call(instance.as_mut(), "flood", &[WitValue::U32(100)]).expect("so many tasks are allowed");
    let error = trapped(call(instance.as_mut(), "flood", &[WitValue::U32(20_000)]), Trap::Other);
    assert_contains(error.message(), &["too many tasks wait"]);
}
