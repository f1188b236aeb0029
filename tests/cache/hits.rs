//! Hits: cached code is used by matching runtimes, and behaves as before.

use std::time::Duration;

use wrun::{Capabilities, ErrorKind, FuncType, HostImports, Limits, RuntimeConfig, Trap, Value, create_runtime};

use crate::vocabulary::{Found, TempCache, found, get, number, on_each};

#[test]
fn a_module_is_compiled_once() {
    on_each(|config| {
        let temp = TempCache::new();
        assert_eq!(temp.get(config, &number(7)), (7, Found::Miss));
        for _ in 0..3 {
            assert_eq!(temp.get(config, &number(7)), (7, Found::Hit));
        }
        assert_eq!(temp.get(config, &number(8)), (8, Found::Miss));
        assert_eq!(temp.files().len(), 2);
    });
}

#[test]
fn a_runtime_counts_compilations_and_hits() {
    on_each(|config| {
        let temp = TempCache::new();
        let runtime = create_runtime(config).unwrap();
        for _ in 0..3 {
            temp.cache.load_or_compile(runtime.as_ref(), &number(7)).unwrap();
        }
        let metrics = runtime.metrics();
        assert_eq!((metrics.modules_compiled, metrics.cache_hits), (1, 2));
        assert!(runtime.shutdown(Duration::ZERO).running == 0);
        let refused = temp.cache.load_or_compile(runtime.as_ref(), &number(7)).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ShutDown);
    });
}

#[test]
fn text_is_cached_by_its_own_bytes() {
    on_each(|config| {
        let temp = TempCache::new();
        let text = br#"(module (func (export "get") (result i32) (i32.const 3)))"#;
        assert_eq!(temp.get(config, text), (3, Found::Miss));
        assert_eq!(temp.get(config, text), (3, Found::Hit));
        assert_eq!(temp.get(config, &wat::parse_bytes(text).unwrap()), (3, Found::Miss), "other bytes, another entry");
    });
}

#[test]
fn configurations_that_change_the_code_have_separate_entries() {
    let temp = TempCache::new();
    let mut configs = Vec::new();
    on_each(|config| assert_eq!(temp.get(config, &number(5)).1, Found::Miss));
    for kind in wrun::RuntimeKind::available() {
        let config = RuntimeConfig::new(kind);
        configs.push(config.clone().with_metering());
        configs.push(config.clone().with_interruption());
        configs.push(config.clone().with_metering().with_interruption());
        configs.push(config.with_canonical_nans());
    }
    for config in &configs {
        assert_eq!(temp.get(config, &number(5)), (5, Found::Miss), "{config:?}");
    }
    for config in &configs {
        assert_eq!(temp.get(config, &number(5)), (5, Found::Hit), "{config:?}");
    }
    on_each(|config| assert_eq!(temp.get(config, &number(5)), (5, Found::Hit)));
}

#[test]
#[cfg(feature = "wasmtime-runtime")]
fn the_stack_limit_is_that_of_the_running_runtime() {
    let temp = TempCache::new();
    let deep = br#"(module (func $deep (export "deep") (param i32) (result i32)
      (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 0))
        (else (i32.add (i32.const 1) (call $deep (i32.sub (local.get 0) (i32.const 1))))))))"#;
    let config = RuntimeConfig::wasmtime();
    for (config, depth) in [(config.clone(), 10_000), (config.with_max_stack(64 << 20), 500_000)] {
        let runtime = create_runtime(&config).unwrap();
        let module = temp.cache.load_or_compile(runtime.as_ref(), deep).unwrap();
        let mut guest = crate::vocabulary::instance(runtime.as_ref(), module.as_ref());
        assert_eq!(guest.call_simple_function("deep", &[depth]).unwrap(), depth);
        let error = guest.call_simple_function("deep", &[depth * 100]).unwrap_err();
        assert_eq!(error.trap_code(), Some(Trap::StackOverflow), "{error}");
    }
    assert_eq!(temp.files().len(), 1);
}

#[test]
fn the_size_of_the_code_is_the_same_on_a_hit() {
    on_each(|config| {
        let temp = TempCache::new();
        let runtime = create_runtime(config).unwrap();
        let compiled = temp.cache.load_or_compile(runtime.as_ref(), &number(7)).unwrap();
        let restored = temp.cache.load_or_compile(runtime.as_ref(), &number(7)).unwrap();
        assert!(compiled.compiled_bytes().is_some_and(|bytes| bytes > 100));
        assert_eq!(compiled.compiled_bytes(), restored.compiled_bytes());
    });
}

/// Runs a test with a module compiled into the cache by one runtime, and again with another runtime that loads it.
fn on_miss_and_hit(config: &RuntimeConfig, wat: &str, test: impl Fn(&dyn wrun::WasmRuntime, &dyn wrun::WasmModule)) {
    let temp = TempCache::new();
    for expected in [Found::Miss, Found::Hit] {
        let runtime = create_runtime(config).unwrap();
        let module = temp.cache.load_or_compile(runtime.as_ref(), wat.as_bytes()).unwrap();
        assert_eq!(found(runtime.as_ref()), expected);
        test(runtime.as_ref(), module.as_ref());
    }
}

#[test]
fn cached_code_calls_the_host() {
    let wat = r#"(module (import "host" "twice" (func $twice (param i32) (result i32)))
      (func (export "run") (param i32) (result i32) (i32.add (call $twice (local.get 0)) (i32.const 1))))"#;
    on_each(|config| {
        on_miss_and_hit(config, wat, |runtime, module| {
            let ty = FuncType::new([wrun::ValType::I32], [wrun::ValType::I32]);
            let imports = HostImports::none().with_function("host", "twice", ty, |_, args| match args {
                [Value::I32(n)] => Ok(vec![Value::I32(n * 2)]),
                _ => Err("no".into()),
            });
            let made = runtime.create_instance_with(module, Limits::none(), Capabilities::none(), &imports);
            assert_eq!(made.unwrap().call_simple_function("run", &[20]).unwrap(), 41);
        });
    });
}

#[test]
fn cached_code_is_held_to_its_limits() {
    let wat = r#"(module (memory 1) (table 1 funcref)
      (func (export "memory") (param i32) (result i32) (memory.grow (local.get 0)))
      (func (export "table") (param i32) (result i32)
        (if (i32.eq (table.grow 0 (ref.null func) (local.get 0)) (i32.const -1)) (then unreachable))
        (table.size 0)))"#;
    on_each(|config| {
        on_miss_and_hit(config, wat, |runtime, module| {
            let limits = Limits::none().with_memory(2 << 16).with_table_elements(10);
            let mut guest = runtime.create_instance(module, limits, Capabilities::none()).unwrap();
            assert_eq!(guest.call_simple_function("memory", &[2]).unwrap(), -1);
            assert_eq!(guest.call_simple_function("memory", &[1]).unwrap(), 1);
            assert_eq!(guest.call_simple_function("table", &[9]).unwrap(), 10);
            let error = guest.call_simple_function("table", &[1]).unwrap_err();
            assert_eq!(error.trap_code(), Some(Trap::Unreachable));
            assert_eq!(error.limit_exceeded().unwrap().attempted, 11, "the error names the denied growth");
        });
    });
}

#[test]
fn cached_code_counts_fuel_and_can_be_stopped() {
    let wat = r#"(module (global $started (mut i32) (i32.const 0))
      (func $start (global.set $started (i32.const 1))) (start $start)
      (func (export "started") (result i32) (global.get $started))
      (func (export "spin") (loop $again (br $again))))"#;
    on_each(|config| {
        let mut used = Vec::new();
        let config = config.clone().with_metering().with_interruption();
        let temp = TempCache::new();
        for _ in 0..2 {
            let runtime = create_runtime(&config).unwrap();
            let module = temp.cache.load_or_compile(runtime.as_ref(), wat.as_bytes()).unwrap();
            let limits = Limits::none().with_fuel(1000).with_time(Duration::from_mins(1));
            let mut guest = runtime.create_instance(module.as_ref(), limits, Capabilities::none()).unwrap();
            assert_eq!(guest.call_simple_function("started", &[]).unwrap(), 1);
            used.push(guest.fuel_used());
            assert_eq!(guest.call("spin", &[]).unwrap_err().kind(), ErrorKind::OutOfFuel);

            let limits = Limits::none().with_time(Duration::from_millis(50));
            let mut guest = runtime.create_instance(module.as_ref(), limits, Capabilities::none()).unwrap();
            assert_eq!(guest.call("spin", &[]).unwrap_err().kind(), ErrorKind::Timeout);
        }
        assert!(used[0].is_some_and(|units| units > 2) && used[0] == used[1], "{used:?}");
    });
}

#[test]
fn large_code_is_mapped_and_runs() {
    // Megabytes of code with any compiler, so that it is mapped instead of read.
    let mut wat = String::from("(module (memory 1)\n");
    for index in 0..2500 {
        wat += &format!("(func $f{index} (param i32) (result i32) (i32.store (i32.const {index}) (local.get 0))");
        wat += &"(i32.store (local.get 0) (i32.mul (i32.load (local.get 0)) (i32.const 7)))".repeat(60);
        wat += &format!("(i32.add (local.get 0) (i32.const {index})))\n");
    }
    wat += r#"(func (export "get") (result i32) (call $f3 (call $f1400 (i32.const 4)))))"#;
    let module = wat::parse_str(&wat).unwrap();
    on_each(|config| {
        let temp = TempCache::new();
        assert_eq!(temp.get(config, &module), (1407, Found::Miss));
        assert!(temp.file().metadata().unwrap().len() > 1 << 20, "the entry is large");
        assert_eq!(temp.get(config, &module), (1407, Found::Hit));
        // The mapping outlives the file.
        let runtime = create_runtime(config).unwrap();
        let loaded = temp.cache.load_or_compile(runtime.as_ref(), &module).unwrap();
        assert_eq!(temp.cache.clear().unwrap().removed, 1);
        let mut guest = crate::vocabulary::instance(runtime.as_ref(), loaded.as_ref());
        assert_eq!(guest.call_simple_function("get", &[]).unwrap(), 1407);
    });
}

#[test]
fn rejected_modules_are_not_cached() {
    on_each(|config| {
        let temp = TempCache::new();
        let runtime = create_runtime(config).unwrap();
        for (module, kind) in [(&b"nothing"[..], ErrorKind::InvalidModule), (b"", ErrorKind::InvalidModule)] {
            for _ in 0..2 {
                let error = temp.cache.load_or_compile(runtime.as_ref(), module).unwrap_err();
                assert_eq!(error.kind(), kind);
            }
        }
        assert!(temp.files().is_empty());
    });
}

#[test]
fn caches_in_two_folders_are_independent() {
    on_each(|config| {
        let (one, other) = (TempCache::new(), TempCache::new());
        assert_eq!(one.get(config, &number(1)).1, Found::Miss);
        assert_eq!(other.get(config, &number(1)).1, Found::Miss);
        let again = wrun::Cache::open(one.cache.dir()).unwrap();
        assert_eq!(get(&again, config, &number(1)).1, Found::Hit);
    });
}
