//! Pooled instances behave like others. On some engines, a new one takes less time.

use std::num::NonZeroU32;

use wrun::{Cache, Capabilities, ErrorKind, LimitKind, Limits, RuntimeConfig, Value, WasmInstance, WasmModule};

use crate::vocabulary::{Engine, PAGE, on_each, refused};

const GUEST: &str = r#"
(module
  (memory (export "memory") 1)
  (table $table 4 200 funcref)
  (data (i32.const 8) "data")
  (global $calls (mut i32) (i32.const 0))
  (func (export "swap") (param $value i32) (result i32)
    (local $old i32)
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (local.set $old (i32.load (i32.const 60000)))
    (i32.store (i32.const 60000) (local.get $value))
    (i32.store (i32.const 8) (local.get $value))
    (i32.add (local.get $old) (global.get $calls)))
  (func (export "data") (result i32) (i32.load (i32.const 8)))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "grow_table") (param i32) (result i32) (table.grow $table (ref.null func) (local.get 0)))
  (func (export "at") (param i32) (result i32) (i32.load (local.get 0))))"#;

/// Runs a case with a pool of this size on each engine.
#[track_caller]
fn on_each_pooled(instances: u32, case: impl Fn(&Engine)) {
    on_each(|engine| {
        let config = RuntimeConfig::new(engine.kind).with_compiler(engine.compiler);
        case(&Engine::configured(&config.with_pooled_instances(NonZeroU32::new(instances).unwrap())));
    });
}

fn instance(engine: &Engine, module: &dyn WasmModule, limits: Limits) -> Box<dyn WasmInstance> {
    engine.runtime.create_instance(module, limits, Capabilities::none()).unwrap()
}

fn call(instance: &mut dyn WasmInstance, name: &str, args: &[i32]) -> i32 {
    instance.call_simple_function(name, args).unwrap()
}

#[test]
fn a_new_instance_sees_nothing_of_earlier_ones() {
    on_each_pooled(1, |engine| {
        let module = engine.load(GUEST);
        let data = i32::from_le_bytes(*b"data");
        for value in 1..50 {
            let mut instance = instance(engine, module.as_ref(), Limits::none());
            assert_eq!(call(instance.as_mut(), "data", &[]), data);
            assert_eq!(
                call(instance.as_mut(), "swap", &[value]),
                1,
                "neither a value nor a call of an earlier instance"
            );
            assert_eq!(call(instance.as_mut(), "grow", &[value]), 1);
            let last = i32::try_from(PAGE).unwrap() * (value + 1) - 4;
            assert_eq!(call(instance.as_mut(), "at", &[last]), 0);
            instance.write_memory("memory", u64::try_from(last).unwrap(), &[255; 4]).unwrap();
            assert_eq!(call(instance.as_mut(), "grow_table", &[value]), 4);
        }
    });
}

#[test]
fn there_can_be_more_instances_than_slots() {
    on_each_pooled(2, |engine| {
        let module = engine.load(GUEST);
        let mut instances: Vec<_> = (0..6).map(|_| instance(engine, module.as_ref(), Limits::none())).collect();
        for (value, instance) in (10..).zip(&mut instances) {
            assert_eq!(call(instance.as_mut(), "swap", &[value]), 1);
        }
        for (value, instance) in (10..).zip(&mut instances) {
            assert_eq!(call(instance.as_mut(), "swap", &[0]), value + 2);
        }
        instances.truncate(1);
        instances.push(instance(engine, module.as_ref(), Limits::none()));
        assert_eq!(call(instances[1].as_mut(), "swap", &[1]), 1);
    });
}

#[test]
fn an_instance_may_be_dropped_after_its_runtime() {
    on_each_pooled(1, |engine| {
        let config = engine.runtime.config().clone();
        let mut left = {
            let engine = Engine::configured(&config);
            let module = engine.load(GUEST);
            instance(&engine, module.as_ref(), Limits::none())
        };
        assert_eq!(call(left.as_mut(), "swap", &[3]), 1);
    });
}

#[test]
fn limits_are_the_same() {
    on_each_pooled(1, |engine| {
        let module = engine.load(GUEST);
        let limits = Limits::none().with_memory(3 * PAGE).with_table_elements(10);
        for _ in 0..3 {
            let mut instance = instance(engine, module.as_ref(), limits);
            assert_eq!(call(instance.as_mut(), "grow", &[3]), -1);
            assert_eq!(call(instance.as_mut(), "grow", &[2]), 1);
            assert_eq!(instance.memory_bytes(), 3 * PAGE);
            assert_eq!(call(instance.as_mut(), "grow_table", &[7]), -1);
            assert_eq!(call(instance.as_mut(), "grow_table", &[6]), 4);
        }
        let too_few = Limits::none().with_memory(PAGE - 1);
        let refused =
            refused(engine.runtime.create_instance(module.as_ref(), too_few, Capabilities::none()), ErrorKind::Limit);
        assert_eq!(refused.limit_exceeded().map(|exceeded| exceeded.kind), Some(LimitKind::Memory));
    });
}

/// Modules that do not fit into the pool run without it: with many tables, or with large, growing or shared memories and tables.
#[test]
fn modules_of_any_size_run() {
    let many = format!(
        r#"(module {} (func (export "f") (result i32) (table.size 11)))"#,
        (0..12).map(|size| format!("(table {size} {size} funcref)")).collect::<String>()
    );
    let large = r#"(module (table 100000 funcref) (memory 1 65536)
        (func (export "f") (result i32)
          (drop (memory.grow (i32.const 9)))
          (i32.add (table.grow (ref.null func) (i32.const 50000)) (memory.size))))"#;
    let imports = r#"(module (memory 1 1 shared) (func (export "f") (result i32) (i32.atomic.load (i32.const 0))))"#;
    on_each_pooled(1, |engine| {
        for (wat, expected) in [(&*many, 11), (large, 100_010), (imports, 0)] {
            for _ in 0..2 {
                assert_eq!(call(engine.start(wat).as_mut(), "f", &[]), expected);
            }
        }
    });
}

/// Some engines keep the heap of references in another memory of the pool.
#[test]
fn two_memories_and_references_fit_into_the_pool() {
    const TWO: &str =
        r#"(module (memory 1) (memory 1) (table 1 1 externref) (func (export "f") (result i32) (i32.const 1)))"#;
    on_each_pooled(1, |engine| {
        let module = engine.load(TWO);
        for _ in 0..3 {
            assert_eq!(call(instance(engine, module.as_ref(), Limits::none()).as_mut(), "f", &[]), 1);
        }
    });
}

#[test]
fn a_host_that_passes_references_works() {
    const REFERENCES: &str =
        r#"(module (memory 1) (func (export "is_null") (param externref) (result i32) (ref.is_null (local.get 0))))"#;
    on_each_pooled(1, |engine| {
        for _ in 0..3 {
            let mut instance = engine.start(REFERENCES);
            assert_eq!(instance.call("is_null", &[Value::ExternRef(Some(1))]).unwrap(), [Value::I32(0)]);
        }
    });
}

#[test]
fn cached_code_is_the_same() {
    on_each_pooled(1, |engine| {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path()).unwrap();
        let mut plain = engine.runtime.config().clone();
        plain.pooled_instances = None;
        for (count, config) in [plain.clone(), engine.runtime.config().clone(), plain].into_iter().enumerate() {
            let engine = Engine::configured(&config);
            let module = cache.load_or_compile(engine.runtime.as_ref(), GUEST.as_bytes()).unwrap();
            let mut instance = instance(&engine, module.as_ref(), Limits::none());
            assert_eq!(call(instance.as_mut(), "swap", &[3]), 1);
            assert_eq!(engine.runtime.metrics().cache_hits, u64::from(count > 0));
        }
    });
}
