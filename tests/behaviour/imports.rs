//! Imports: host items are matched by name and type, and unresolved imports are listed.

use wrun::{ErrorKind, ExternType, Feature, FuncType, HostImports, HostItem, MemoryType, TableType, ValType, Value};

use crate::vocabulary::{Engine, assert_contains, hints, is_refused_for, on_each, refused};

const MANY: &str = r#"
(module
  (import "env" "log" (func (param i32 i64) (result f32)))
  (import "env" "memory" (memory 1 4))
  (import "env" "limit" (global (mut i64)))
  (import "other" "table" (table 2 funcref))
  (import "" "" (func)))"#;

fn item(name: &str, item: HostItem) -> HostImports {
    HostImports::none().with("host", name, item)
}

fn function(params: &[ValType], results: &[ValType]) -> HostItem {
    HostItem::Func(wrun::HostFunction::new(FuncType::new(params, results), |_, _| Ok(vec![])))
}

#[track_caller]
fn links(engine: &Engine, offered: HostItem, wanted: &str) {
    let wat = format!(r#"(module (import "host" "it" {wanted}))"#);
    engine.start_importing(&item("it", offered), &wat).unwrap_or_else(|error| panic!("{wanted}: {error}"));
}

#[track_caller]
fn does_not_link(engine: &Engine, offered: HostItem, wanted: &str) {
    let wat = format!(r#"(module (import "host" "it" {wanted}))"#);
    let ty = offered.ty().to_string();
    let error = refused(engine.start_importing(&item("it", offered), &wat), ErrorKind::Unlinkable);
    assert_contains(
        error.message(),
        &["1 unresolved import:", "`host` `it`: the module expects ", &format!("the host provides {ty}")],
    );
}

#[test]
fn every_missing_import_is_listed_with_its_type() {
    on_each(|engine| {
        let error = refused(engine.try_start(MANY), ErrorKind::Unlinkable);
        let lines = [
            "5 unresolved imports:",
            "`env` `log`: func (i32, i64) -> f32",
            "`env` `memory`: memory 1..4 pages",
            "`env` `limit`: global mut i64",
            "`other` `table`: table 2.. funcref",
            "`\"\"` `\"\"`: func () -> ()",
        ];
        assert_contains(error.message(), &lines);
        assert_eq!(error.message().lines().count(), lines.len(), "nothing else");
        assert_eq!(engine.runtime.metrics().instances_created, 0);
    });
}

#[test]
fn only_unresolved_and_mismatched_imports_are_listed() {
    on_each(|engine| {
        let imports = HostImports::none()
            .with("env", "memory", HostItem::Memory(MemoryType::new(1, Some(4))))
            .with("env", "limit", HostItem::Global(Value::I64(1), false))
            .with("other", "log", function(&[], &[]))
            .with("", "", function(&[], &[]));
        let error = refused(engine.start_importing(&imports, MANY), ErrorKind::Unlinkable);
        assert_contains(
            error.message(),
            &[
                "3 unresolved imports",
                "`env` `log`:",
                "`env` `limit`: the module expects global mut i64, the host provides global i64",
            ],
        );
        assert_contains(error.message(), &["`other` `table`:"]);
        assert!(!error.message().contains("`memory`"), "{error}");
    });
}

#[test]
fn unknown_wasi_imports_are_unresolved_and_wasix_is_named() {
    on_each(|engine| {
        let unknown = r#"(module (import "wasi_snapshot_preview1" "fd_fly" (func (param i32) (result i32))))"#;
        let error = refused(engine.try_start(unknown), ErrorKind::Unlinkable);
        assert_contains(error.message(), &["`wasi_snapshot_preview1` `fd_fly`: func (i32) -> i32"]);
        let other_type = r#"(module (import "wasi_snapshot_preview1" "fd_write" (func (param i32) (result i32))))"#;
        let error = refused(engine.try_start(other_type), ErrorKind::Unlinkable);
        assert_contains(
            error.message(),
            &["`fd_write`: the module expects func (i32) -> i32, the host provides func (i32, i32, i32, i32) -> i32"],
        );
        let other = r#"(module (import "wasix_64v1" "thread_spawn" (func (param i64) (result i32))))"#;
        assert_contains(&hints(&refused(engine.try_start(other), ErrorKind::Unlinkable)), &["`wasix_32v1`"]);
    });
}

#[test]
fn a_function_of_the_host_wins_over_one_of_wasi() {
    let wat = r#"(module (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
        (func (export "run") (result i32) (call $yield)))"#;
    on_each(|engine| {
        assert_eq!(engine.start(wat).call_simple_function("run", &[]).unwrap(), 0);
        let ty = FuncType::new([], [ValType::I32]);
        let ours = HostImports::none()
            .with_function("wasi_snapshot_preview1", "sched_yield", ty, |_, _| Ok(vec![Value::I32(7)]));
        let mut guest = engine.start_importing(&ours, wat).unwrap();
        assert_eq!(guest.call_simple_function("run", &[]).unwrap(), 7);
    });
}

#[test]
fn functions_link_by_their_exact_type() {
    use ValType::{I32, I64};
    on_each(|engine| {
        links(engine, function(&[I32], &[I64]), "(func (param i32) (result i64))");
        does_not_link(engine, function(&[I32], &[]), "(func (param i32) (result i64))");
        does_not_link(engine, function(&[I64], &[I64]), "(func (param i32) (result i64))");
        does_not_link(engine, function(&[I32, I32], &[I64]), "(func (param i32) (result i64))");
        does_not_link(engine, HostItem::Global(Value::I32(0), false), "(func)");
        does_not_link(engine, function(&[], &[]), "(memory 1)");
        does_not_link(engine, function(&[], &[]), "(global i32)");
        does_not_link(engine, function(&[], &[]), "(table 0 funcref)");
    });
}

#[test]
fn globals_link_by_their_type_and_mutability() {
    let global = HostItem::Global;
    on_each(|engine| {
        links(engine, global(Value::I32(1), false), "(global i32)");
        links(engine, global(Value::F64(1.0), true), "(global (mut f64))");
        links(engine, global(Value::ExternRef(None), false), "(global externref)");
        links(engine, global(Value::FuncRef(None), false), "(global funcref)");
        does_not_link(engine, global(Value::I32(1), false), "(global i64)");
        does_not_link(engine, global(Value::I32(1), true), "(global i32)");
        does_not_link(engine, global(Value::I32(1), false), "(global (mut i32))");
        does_not_link(engine, global(Value::FuncRef(None), false), "(global externref)");
    });
}

#[test]
fn memories_link_if_their_limits_match_the_import() {
    let memory = |minimum, maximum| HostItem::Memory(MemoryType::new(minimum, maximum));
    on_each(|engine| {
        links(engine, memory(1, None), "(memory 1)");
        links(engine, memory(3, Some(5)), "(memory 1)");
        links(engine, memory(3, Some(5)), "(memory 3 5)");
        links(engine, memory(2, Some(2)), "(memory 1 5)");
        does_not_link(engine, memory(1, None), "(memory 2)");
        does_not_link(engine, memory(1, None), "(memory 1 5)");
        does_not_link(engine, memory(1, Some(6)), "(memory 1 5)");
    });
}

#[test]
fn tables_link_if_their_limits_match_the_import() {
    let table = |minimum, maximum| HostItem::Table(TableType::new(ValType::FuncRef, minimum, maximum));
    on_each(|engine| {
        links(engine, table(1, None), "(table 1 funcref)");
        links(engine, table(3, Some(5)), "(table 2 6 funcref)");
        links(engine, HostItem::Table(TableType::new(ValType::ExternRef, 1, None)), "(table 1 externref)");
        does_not_link(engine, table(1, None), "(table 2 funcref)");
        does_not_link(engine, table(1, None), "(table 1 5 funcref)");
        does_not_link(engine, table(1, Some(6)), "(table 1 5 funcref)");
        does_not_link(engine, table(1, None), "(table 1 externref)");
    });
}

#[test]
fn a_shared_memory_links_to_a_shared_one_only() {
    let wat = r#"(module (import "host" "it" (memory 1 2 shared)))"#;
    on_each(|engine| {
        if !engine.has(Feature::Threads) {
            return is_refused_for(&[Feature::Threads], engine, wat);
        }
        let mut shared = MemoryType::new(1, Some(2));
        shared.shared = true;
        links(engine, HostItem::Memory(shared), "(memory 1 2 shared)");
        does_not_link(engine, HostItem::Memory(shared), "(memory 1 2)");
        does_not_link(engine, HostItem::Memory(MemoryType::new(1, Some(2))), "(memory 1 2 shared)");
    });
}

#[test]
fn a_memory_with_64_bit_addresses_links_only_to_such_an_import() {
    on_each(|engine| {
        let mut wide = MemoryType::new(1, Some(2));
        wide.memory64 = true;
        does_not_link(engine, HostItem::Memory(wide), "(memory 1 2)");
        if !engine.has(Feature::Memory64) {
            let wat = r#"(module (import "host" "it" (memory i64 1 2)))"#;
            return is_refused_for(&[Feature::Memory64], engine, wat);
        }
        links(engine, HostItem::Memory(wide), "(memory i64 1 2)");
        does_not_link(engine, HostItem::Memory(MemoryType::new(1, Some(2))), "(memory i64 1 2)");
    });
}

#[test]
fn a_table_with_64_bit_indices_links_only_to_such_an_import() {
    let wat = r#"(module (import "host" "it" (table i64 1 funcref)))"#;
    on_each(|engine| {
        let mut wide = TableType::new(ValType::FuncRef, 1, None);
        wide.table64 = true;
        does_not_link(engine, HostItem::Table(wide.clone()), "(table 1 funcref)");
        if !engine.has(Feature::Memory64) {
            return is_refused_for(&[Feature::Memory64], engine, wat);
        }
        links(engine, HostItem::Table(wide), "(table i64 1 funcref)");
        does_not_link(engine, HostItem::Table(TableType::new(ValType::FuncRef, 1, None)), "(table i64 1 funcref)");
    });
}

#[test]
fn memories_link_by_the_size_of_their_pages() {
    let wat = r#"(module (import "host" "it" (memory 100 (pagesize 1))) (export "it" (memory 0)))"#;
    on_each(|engine| {
        let mut bytes = MemoryType::new(100, None);
        bytes.page_size = 1;
        does_not_link(engine, HostItem::Memory(bytes), "(memory 1)");
        if !engine.has(Feature::CustomPageSizes) {
            return is_refused_for(&[Feature::CustomPageSizes], engine, wat);
        }
        does_not_link(engine, HostItem::Memory(MemoryType::new(100, None)), "(memory 100 (pagesize 1))");
        let mut guest = engine.start_importing(&item("it", HostItem::Memory(bytes)), wat).unwrap();
        assert_eq!((guest.memory_size("it").unwrap(), guest.memory_bytes()), (100, 100));
    });
}

#[test]
fn host_items_that_no_engine_supports_are_unlinkable() {
    let memory = |minimum, maximum| HostItem::Memory(MemoryType::new(minimum, maximum));
    let table = |minimum, maximum| HostItem::Table(TableType::new(ValType::FuncRef, minimum, maximum));
    on_each(|engine| {
        does_not_link(engine, memory(5, Some(1)), "(memory 1)");
        does_not_link(engine, table(5, Some(1)), "(table 1 funcref)");
        for (offered, wanted) in [
            (memory(65_537, None), "(memory 1)"),
            (memory(u64::MAX, None), "(memory 1)"),
            (memory(1, Some(65_537)), "(memory 1)"),
        ] {
            let wat = format!(r#"(module (import "host" "it" {wanted}))"#);
            refused(engine.start_importing(&item("it", offered), &wat), ErrorKind::Unlinkable);
        }
        let wat = r#"(module (import "host" "it" (table 1 funcref)))"#;
        refused(engine.start_importing(&item("it", table(u64::MAX, None)), wat), ErrorKind::Limit);
    });
}

#[test]
fn unused_host_items_are_allowed() {
    on_each(|engine| {
        let imports = item("unused", function(&[ValType::I32], &[])).with("more", "unused", function(&[], &[]));
        engine.start_importing(&imports, "(module)").unwrap();
    });
}

#[test]
fn an_item_can_be_imported_twice() {
    let wat = r#"
        (module
          (import "host" "it" (func $a (result i32)))
          (import "host" "it" (func $b (result i32)))
          (func (export "sum") (result i32) (i32.add (call $a) (call $b))))"#;
    let ty = FuncType::new([], [ValType::I32]);
    let imports = HostImports::none().with_function("host", "it", ty, |_, _| Ok(vec![Value::I32(21)]));
    on_each(|engine| {
        assert_eq!(engine.start_importing(&imports, wat).unwrap().call_simple_function("sum", &[]).unwrap(), 42);
    });
}

#[test]
fn globals_of_the_host_start_as_given_and_each_instance_has_its_own() {
    let wat = r#"
        (module
          (import "host" "start" (global $start i64))
          (import "host" "state" (global $state (mut f32)))
          (export "state" (global $state))
          (global (export "copy") i64 (global.get $start))
          (func (export "set") (param f32) (global.set $state (local.get 0))))"#;
    let imports = HostImports::none().with("host", "start", HostItem::Global(Value::I64(-9), false)).with(
        "host",
        "state",
        HostItem::Global(Value::F32(1.5), true),
    );
    on_each(|engine| {
        let mut first = engine.start_importing(&imports, wat).unwrap();
        let mut second = engine.start_importing(&imports, wat).unwrap();
        assert_eq!(first.global("copy").unwrap(), Value::I64(-9));
        assert_eq!(first.global("state").unwrap(), Value::F32(1.5));
        first.call("set", &[Value::F32(-0.0)]).unwrap();
        assert_eq!(first.global("state").unwrap(), Value::F32(-0.0));
        assert_eq!(second.global("state").unwrap(), Value::F32(1.5));
    });
}

#[test]
fn an_imported_global_can_hold_a_host_reference() {
    let wat = r#"(module (import "host" "it" (global $it externref)) (export "it" (global $it)))"#;
    on_each(|engine| {
        let imports = item("it", HostItem::Global(Value::ExternRef(Some(77)), false));
        let mut guest = engine.start_importing(&imports, wat).unwrap();
        assert_eq!(guest.global("it").unwrap(), Value::ExternRef(Some(77)));
    });
}

#[test]
fn each_instance_gets_new_host_memories_and_tables() {
    let wat = r#"
        (module
          (import "host" "memory" (memory 1))
          (import "host" "table" (table 1 funcref))
          (export "memory" (memory 0))
          (func $f)
          (elem declare func $f)
          (func (export "touch") (table.set (i32.const 0) (ref.func $f)))
          (func (export "is_null") (result i32) (ref.is_null (table.get (i32.const 0)))))"#;
    let imports = HostImports::none().with("host", "memory", HostItem::Memory(MemoryType::new(1, None))).with(
        "host",
        "table",
        HostItem::Table(TableType::new(ValType::FuncRef, 1, None)),
    );
    on_each(|engine| {
        let mut first = engine.start_importing(&imports, wat).unwrap();
        let mut second = engine.start_importing(&imports, wat).unwrap();
        first.write_memory("memory", 0, &[1]).unwrap();
        first.call("touch", &[]).unwrap();
        let mut byte = [9];
        second.read_memory("memory", 0, &mut byte).unwrap();
        assert_eq!(byte, [0], "zeroed");
        assert_eq!(second.call_simple_function("is_null", &[]).unwrap(), 1, "full of nulls");
    });
}

#[test]
fn an_offered_item_knows_its_type() {
    assert_eq!(HostItem::Global(Value::F64(0.0), true).ty(), ExternType::Global(ValType::F64, true));
    assert_eq!(function(&[ValType::I32], &[]).ty(), ExternType::Func(FuncType::new([ValType::I32], [])));
    let imports = item("it", HostItem::Global(Value::I32(1), false));
    let replaced = imports.with("host", "it", HostItem::Global(Value::I32(2), false));
    assert!(matches!(replaced.get("host", "it"), Some(HostItem::Global(Value::I32(2), false))));
    assert!(replaced.get("host", "that").is_none() && replaced.get("that", "it").is_none());
}
