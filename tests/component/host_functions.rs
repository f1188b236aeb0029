//! Functions of the embedder that a component imports.

use std::sync::{Arc, Mutex};
use std::thread;

use wrun::{
    Capabilities, ComponentImports, ErrorKind, Exit, InstanceState, Limits, RuntimeConfig, Trap, Value, WitValue,
};

use crate::vocabulary::{Engine, assert_contains, call, refused, returned, text, trapped};

/// Calls `price` of the interface `demo:shop/prices` in this version from its own function `price`.
fn shop(version: &str) -> String {
    format!(
        r#"(component
            (import "demo:shop/prices{version}" (instance $prices
                (type $item' (record (field "name" string) (field "qty" u32)))
                (export "item" (type $item (eq $item')))
                (export "price" (func (param "item" $item) (result u32)))))
            (core module $libc
                (memory (export "memory") 1)
                (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024)))
            (core instance $libc (instantiate $libc))
            (core func $price (canon lower (func $prices "price") (memory $libc "memory")
                (realloc (func $libc "realloc"))))
            (core module $m
                (import "" "price" (func $price (param i32 i32 i32) (result i32)))
                (func (export "price") (param i32 i32 i32) (result i32)
                    (i32.mul (i32.const 2) (call $price (local.get 0) (local.get 1) (local.get 2)))))
            (core instance $i (instantiate $m (with "" (instance (export "price" (func $price))))))
            (func (export "price") (param "name" string) (param "qty" u32) (result u32)
                (canon lift (core func $i "price") (memory $libc "memory") (realloc (func $libc "realloc")))))"#
    )
}

fn tea() -> [WitValue; 2] {
    [text("tea"), WitValue::U32(3)]
}

#[test]
fn a_host_function_gets_typed_arguments_and_returns_a_result() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let imports = ComponentImports::default().with("demo:shop/prices@1.2.0", "price", {
        let seen = Arc::clone(&seen);
        move |_, args| {
            seen.lock().expect("no panic").push(args.to_vec());
            Ok(Some(WitValue::U32(21)))
        }
    });
    let mut instance = Engine::new().start_importing(&imports, &shop("@1.2.0")).expect("the import is there");
    assert_eq!(returned(instance.as_mut(), "price", &tea()), WitValue::U32(42));
    let item = WitValue::Record(vec![("name".into(), text("tea")), ("qty".into(), WitValue::U32(3))]);
    assert_eq!(*seen.lock().expect("no panic"), [[item]]);
}

#[test]
fn versions_match_by_semantic_versioning() {
    let imports = |version: &str| {
        let one = |_: &_, _: &_| Ok(Some(WitValue::U32(1)));
        ComponentImports::default().with(format!("demo:shop/prices{version}"), "price", one)
    };
    let engine = Engine::new();
    for (provided, imported) in [("@1.2.0", "@1.0.0"), ("@1.0.0", "@1.2.3"), ("@0.2.0", "@0.2.9"), ("", "")] {
        let started = engine.start_importing(&imports(provided), &shop(imported));
        let mut instance = started.unwrap_or_else(|error| panic!("{provided} for {imported}: {error}"));
        assert_eq!(returned(instance.as_mut(), "price", &tea()), WitValue::U32(2));
    }
    for (provided, imported) in
        [("@1.2.0", "@2.0.0"), ("@0.2.0", "@0.3.0"), ("@0.0.1", "@0.0.2"), ("@1.0.0-rc", "@1.0.0"), ("", "@1.0.0")]
    {
        refused(engine.start_importing(&imports(provided), &shop(imported)), ErrorKind::Unlinkable);
    }
}

#[test]
fn an_exact_version_wins_over_a_compatible_one() {
    let imports = ["@1.0.0", "@1.1.0", "@1.2.0"].into_iter().zip(1..).fold(
        ComponentImports::default(),
        |imports, (version, number)| {
            imports.with(format!("demo:shop/prices{version}"), "price", move |_, _| Ok(Some(WitValue::U32(number))))
        },
    );
    let mut instance = Engine::new().start_importing(&imports, &shop("@1.1.0")).expect("the import is there");
    assert_eq!(returned(instance.as_mut(), "price", &tea()), WitValue::U32(4));
}

#[test]
fn a_missing_import_is_named_with_its_interface_and_type() {
    let other = ComponentImports::default().with("demo:shop/prices@1.2.0", "prices", |_, _| Ok(None));
    for imports in [ComponentImports::NONE, &other] {
        let error = refused(Engine::new().start_importing(imports, &shop("@1.2.0")), ErrorKind::Unlinkable);
        assert_contains(
            error.message(),
            &["1 unresolved import:", "`demo:shop/prices@1.2.0` `price`: func(item: item) -> u32"],
        );
    }
}

#[test]
fn a_result_of_another_type_is_an_error() {
    for result in [None, Some(WitValue::S32(1)), Some(text("1"))] {
        let returned = result.clone();
        let imports = ComponentImports::default().with("demo:shop/prices", "price", move |_, _| Ok(returned.clone()));
        let mut instance = Engine::new().start_importing(&imports, &shop("")).expect("the import is there");
        let error = trapped(call(instance.as_mut(), "price", &tea()), Trap::Host);
        assert_contains(error.message(), &["price", "u32"]);
    }
}

#[test]
fn the_error_of_a_host_function_is_the_source_of_a_trap() {
    let imports = ComponentImports::default().with("demo:shop/prices", "price", |_, _| Err("no such item".into()));
    let mut instance = Engine::new().start_importing(&imports, &shop("")).expect("the import is there");
    let error = trapped(call(instance.as_mut(), "price", &tea()), Trap::Host);
    assert_contains(error.message(), &["no such item"]);
    assert_eq!(instance.state(), InstanceState::Crashed);
    refused(call(instance.as_mut(), "price", &tea()), ErrorKind::Crashed);
}

#[test]
fn a_host_function_can_end_the_guest() {
    let imports = ComponentImports::default().with("demo:shop/prices", "price", |_, _| Err(Exit(3).into()));
    let mut instance = Engine::new().start_importing(&imports, &shop("")).expect("the import is there");
    let error = refused(call(instance.as_mut(), "price", &tea()), ErrorKind::Exited);
    assert_eq!(error.exit_code(), Some(3));
    assert_eq!(instance.state(), InstanceState::Exited(3));
}

#[test]
fn a_function_that_a_component_imports_by_itself_has_no_interface() {
    let wat = r#"(component
        (import "answer" (func $answer (result u64)))
        (core func $answer (canon lower (func $answer)))
        (core module $m
            (import "" "answer" (func $answer (result i64)))
            (func (export "ask") (result i64) (call $answer)))
        (core instance $i (instantiate $m (with "" (instance (export "answer" (func $answer))))))
        (func (export "ask") (result u64) (canon lift (core func $i "ask"))))"#;
    let imports = ComponentImports::default().with("", "answer", |_, _| Ok(Some(WitValue::U64(42))));
    let mut instance = Engine::new().start_importing(&imports, wat).expect("the import is there");
    assert_eq!(returned(instance.as_mut(), "ask", &[]), WitValue::U64(42));
    let error = refused(Engine::new().start_importing(ComponentImports::NONE, wat), ErrorKind::Unlinkable);
    assert_contains(error.message(), &["`answer`: func() -> u64"]);
}

#[test]
fn resources_of_the_host_are_refused() {
    let resource = r#"(component (import "demo:db/store" (instance
        (export "row" (type $row (sub resource)))
        (export "drop-all" (func)))))"#;
    let imports = ComponentImports::default().with("demo:db/store", "drop-all", |_, _| Ok(None));
    let error = refused(Engine::new().start_importing(&imports, resource), ErrorKind::UnsupportedFeature);
    assert_contains(error.message(), &["demo:db/store#row"]);
}

#[test]
#[cfg(feature = "wasi-p3")]
fn an_asynchronous_import_can_be_a_host_function() {
    let wat = r#"(component
        (import "answer" (func $answer async (result u32)))
        (core func $answer (canon lower (func $answer)))
        (core module $m
            (import "" "answer" (func $answer (result i32)))
            (func (export "ask") (result i32) (call $answer)))
        (core instance $i (instantiate $m (with "" (instance (export "answer" (func $answer))))))
        (func (export "ask") async (result u32) (canon lift (core func $i "ask"))))"#;
    let imports = ComponentImports::default().with("", "answer", |_, _| Ok(Some(WitValue::U32(42))));
    let mut instance = Engine::new().start_importing(&imports, wat).expect("the import is there");
    assert_eq!(returned(instance.as_mut(), "ask", &[]), WitValue::U32(42));
}

#[test]
fn a_host_function_replaces_one_of_wasi_and_leaves_the_others() {
    let wat = r#"(component
        (import "wasi:random/random@0.2.1" (instance $random
            (export "get-random-u64" (func (result u64)))
            (export "get-random-bytes" (func (param "len" u64) (result (list u8))))))
        (core module $libc
            (memory (export "memory") 1)
            (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024)))
        (core instance $libc (instantiate $libc))
        (core func $number (canon lower (func $random "get-random-u64")))
        (core func $bytes (canon lower (func $random "get-random-bytes") (memory $libc "memory")
            (realloc (func $libc "realloc"))))
        (core module $m
            (import "" "number" (func $number (result i64)))
            (import "" "bytes" (func $bytes (param i64 i32)))
            (func (export "number") (result i64)
                (call $bytes (i64.const 8) (i32.const 16))
                (call $number)))
        (core instance $i (instantiate $m (with "" (instance
            (export "number" (func $number)) (export "bytes" (func $bytes))))))
        (func (export "number") (result u64) (canon lift (core func $i "number"))))"#;
    let engine = Engine::new();
    let provide = |version: &str| {
        let four = |_: &_, _: &_| Ok(Some(WitValue::U64(4)));
        ComponentImports::default().with(format!("wasi:random/random{version}"), "get-random-u64", four)
    };
    for version in ["@0.2.1", "@0.2.0", "@0.2.9"] {
        let mut instance = engine.start_importing(&provide(version), wat).expect("WASI has the other function");
        assert_eq!(returned(instance.as_mut(), "number", &[]), WitValue::U64(4), "{version}");
    }
    let mut instance = engine.start_importing(&provide("@0.3.0"), wat).expect("WASI has both functions");
    assert_ne!(returned(instance.as_mut(), "number", &[]), WitValue::U64(4));
}

#[test]
fn a_call_that_waits_can_be_paused_and_resumed() {
    use std::sync::atomic::{AtomicBool, Ordering};
    let entered = Arc::new(AtomicBool::new(false));
    let imports = ComponentImports::default().with("", "answer", {
        let entered = Arc::clone(&entered);
        move |token, _| {
            entered.store(true, Ordering::SeqCst);
            while entered.load(Ordering::SeqCst) {
                token.check_interrupt()?;
                thread::yield_now();
            }
            Ok(Some(WitValue::U64(42)))
        }
    });
    let wat = r#"(component
        (import "answer" (func $answer (result u64)))
        (core func $answer (canon lower (func $answer)))
        (core module $m
            (import "" "answer" (func $answer (result i64)))
            (func (export "ask") (result i64) (call $answer)))
        (core instance $i (instantiate $m (with "" (instance (export "answer" (func $answer))))))
        (func (export "ask") (result u64) (canon lift (core func $i "ask"))))"#;
    let mut instance = Engine::metered().start_importing(&imports, wat).expect("the import is there");
    let control = instance.control();
    thread::scope(|scope| {
        scope.spawn(|| {
            while !entered.load(Ordering::SeqCst) {
                thread::yield_now();
            }
            control.pause().expect("it is interruptible");
            while control.state() != InstanceState::Paused {
                thread::yield_now();
            }
            entered.store(false, Ordering::SeqCst);
            control.resume().expect("it is interruptible");
        });
        assert_eq!(returned(instance.as_mut(), "ask", &[]), WitValue::U64(42));
    });
}

/// Calls the import `work` on a stack of the engine, because an interface of WASI is imported too.
const ON_A_FIBER: &str = r#"(component
    (import "wasi:cli/exit@0.2.0" (instance (export "exit" (func (param "status" (result))))))
    (import "work" (func $work (result u32)))
    (core func $work (canon lower (func $work)))
    (core module $m
        (import "" "work" (func $work (result i32)))
        (func (export "go") (result i32) (call $work)))
    (core instance $i (instantiate $m (with "" (instance (export "work" (func $work))))))
    (func (export "go") (result u32) (canon lift (core func $i "go"))))"#;

#[test]
fn a_host_function_can_call_a_module_that_needs_a_large_stack() {
    let wat = r#"(module (func $dive (export "dive") (param i32) (result i32)
        (if (result i32) (local.get 0)
            (then (i32.add (i32.const 1) (call $dive (i32.sub (local.get 0) (i32.const 1)))))
            (else (i32.const 0)))))"#;
    let dive = move || {
        let imports = ComponentImports::default().with("", "work", move |_, _| {
            let engine = Engine::configured(&RuntimeConfig::wasmtime().with_max_stack(16 << 20));
            let module = engine.runtime.load_module(wat.as_bytes())?;
            let mut instance = engine.runtime.create_instance(module.as_ref(), Limits::none(), Capabilities::none())?;
            match instance.call("dive", &[Value::I32(200_000)])?.as_slice() {
                [Value::I32(depth)] => Ok(Some(WitValue::U32(depth.unsigned_abs()))),
                other => Err(format!("{other:?}").into()),
            }
        });
        let mut instance = Engine::new().start_importing(&imports, ON_A_FIBER).expect("the import is there");
        returned(instance.as_mut(), "go", &[])
    };
    let called = thread::spawn(dive).join().expect("it does not panic");
    assert_eq!(called, WitValue::U32(200_000));
}

#[test]
fn a_host_function_sees_the_runtime_of_its_caller() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let imports = ComponentImports::default().with("", "work", {
        let seen = Arc::clone(&seen);
        move |_, _| {
            let runtime = tokio::runtime::Handle::try_current();
            seen.lock().expect("no panic").push(runtime.ok().map(|runtime| runtime.id()));
            Ok(Some(WitValue::U32(1)))
        }
    });
    // Sockets and timers run on a runtime of wrun.
    let wat = ON_A_FIBER.replace(
        "(component",
        r#"(component
            (import "wasi:clocks/monotonic-clock@0.2.0" (instance (export "now" (func (result u64)))))"#,
    );
    let mut instance = Engine::new().start_importing(&imports, &wat).expect("the import is there");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("there is a runtime");
    let entered = runtime.enter();
    returned(instance.as_mut(), "go", &[]);
    drop(entered);
    assert_eq!(*seen.lock().expect("no panic"), [Some(runtime.handle().id())]);
}
