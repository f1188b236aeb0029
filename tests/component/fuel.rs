//! Every fuel limit of a component: its start function, its allocator, its functions and the engine's adapters.

use std::sync::{Arc, Mutex};

use wrun::{ComponentImports, ErrorKind, LimitKind, Limits, WasmComponentInstance, WitValue};

use crate::vocabulary::{Engine, call, core, text};

/// Counts the bytes of a text in a loop. It has a start function, and passes the text on to an inner component.
fn program() -> String {
    let core = core(
        r#"(global $ready (mut i32) (i32.const 0))
        (func $start (loop $l
            (global.set $ready (i32.add (global.get $ready) (i32.const 1)))
            (br_if $l (i32.lt_u (global.get $ready) (i32.const 5)))))
        (start $start)
        (func (export "count") (param $at i32) (param $length i32) (result i32)
            (local $sum i32)
            (block $done (loop $more
                (br_if $done (i32.eqz (local.get $length)))
                (local.set $sum (i32.add (local.get $sum) (i32.const 1)))
                (local.set $length (i32.sub (local.get $length) (i32.const 1)))
                (br $more)))
            (local.get $sum))"#,
    );
    let libc = self::core("");
    format!(
        r#"(component
            (import "seen" (func $seen (param "count" u32)))
            (component $inner {core}
                (func (export "count") (param "text" string) (result u32)
                    (canon lift (core func $i "count") (memory $i "memory") (realloc (func $i "realloc")))))
            (instance $inner (instantiate $inner))
            (component $outer
                (import "count" (func $count (param "text" string) (result u32)))
                (import "seen" (func $seen (param "count" u32)))
                {libc}
                (core func $count (canon lower (func $count) (memory $i "memory") (realloc (func $i "realloc"))))
                (core func $seen (canon lower (func $seen)))
                (core module $caller
                    (import "" "count" (func $count (param i32 i32) (result i32)))
                    (import "" "seen" (func $seen (param i32)))
                    (func (export "run") (param i32 i32) (result i32) (local $count i32)
                        (local.set $count (call $count (local.get 0) (local.get 1)))
                        (call $seen (local.get $count))
                        (i32.add (local.get $count) (i32.const 1))))
                (core instance $c (instantiate $caller (with "" (instance
                    (export "count" (func $count)) (export "seen" (func $seen))))))
                (func (export "run") (param "text" string) (result u32)
                    (canon lift (core func $c "run") (memory $i "memory") (realloc (func $i "realloc")))))
            (instance $outer (instantiate $outer
                (with "count" (func $inner "count")) (with "seen" (func $seen))))
            (func (export "run") (alias export $outer "run")))"#
    )
}

/// The outcome of a run.
#[derive(Debug, PartialEq, Eq)]
struct Run {
    result: Option<WitValue>,
    fuel: Option<u64>,
    seen: Vec<u32>,
}

fn run(engine: &Engine, wat: &str, limit: Option<u64>) -> Run {
    let seen: Arc<Mutex<Vec<u32>>> = Arc::default();
    let sink = Arc::clone(&seen);
    let imports = ComponentImports::default().with("", "seen", move |_, args| {
        if let [WitValue::U32(count)] = args {
            sink.lock().unwrap().push(*count);
        }
        Ok(None)
    });
    let limits = limit.map_or(Limits::none(), |limit| Limits::none().with_fuel(limit));
    let started = engine.try_start(limits, wat, &imports);
    let (result, fuel) = match started {
        Ok(mut instance) => {
            let result = call(instance.as_mut(), "run", &[text("tea")]);
            (result, instance.fuel_used())
        }
        Err(error) => (Err(error), limit),
    };
    let result = match result {
        Ok(value) => value,
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::OutOfFuel, "{error}");
            let exceeded = error.limit_exceeded().expect("the limit was exceeded");
            assert_eq!((exceeded.kind, Some(exceeded.limit)), (LimitKind::Fuel, limit));
            None
        }
    };
    let seen = seen.lock().unwrap().clone();
    Run { result, fuel, seen }
}

#[test]
fn every_limit_has_the_same_outcome() {
    let (engine, wat) = (Engine::metered(), program());
    let whole = run(&engine, &wat, None);
    assert_eq!((&whole.result, &whole.seen[..]), (&Some(WitValue::U32(4)), &[3][..]));
    let used = whole.fuel.expect("fuel is metered");
    // The number is a part of the contract: it is the same in every run and on every machine.
    assert_eq!(run(&engine, &wat, None).fuel, Some(used));
    assert_eq!(run(&Engine::metered(), &wat, Some(1_000_000)).fuel, Some(used));
    // The host function is called once the fuel for all that comes before it is there.
    let mut first_seen = None;
    for limit in 0..=used + 3 {
        let Run { result, fuel, seen } = run(&engine, &wat, Some(limit));
        assert_eq!(result.is_some(), limit >= used, "limit {limit}");
        assert_eq!(fuel, Some(limit.min(used)), "limit {limit}");
        match first_seen {
            None if seen.is_empty() => {}
            None => first_seen = Some(limit),
            Some(_) => assert_eq!(seen, [3], "limit {limit}"),
        }
    }
    assert!(first_seen.is_some_and(|limit| limit <= used));
}

#[test]
fn fuel_covers_the_start_the_calls_and_all_that_runs_for_them() {
    let engine = Engine::metered();
    let imports = ComponentImports::default().with("", "seen", |_, _| Ok(None));
    let mut instance = engine.try_start(Limits::none(), &program(), &imports).expect("it starts");
    let instance: &mut dyn WasmComponentInstance = instance.as_mut();
    // Two for the engine's call of the start function, one for the function, eight for each turn of its loop.
    assert_eq!(instance.fuel_used(), Some(2 + 1 + 5 * 8));
    let used = |instance: &mut dyn WasmComponentInstance, words: &str| {
        let before = instance.fuel_used().expect("fuel is metered");
        call(instance, "run", &[text(words)]).expect("it returns");
        instance.fuel_used().expect("fuel is metered") - before
    };
    // Each byte more takes one more turn of the loop, of twelve operators.
    let (short, long) = (used(instance, "1234567"), used(instance, "12345678"));
    assert_eq!(long - short, 12);
}
