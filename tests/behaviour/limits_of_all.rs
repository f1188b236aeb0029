//! One memory limit holds for all memories of an instance: its own, imported and shared ones.

use wrun::{
    ErrorKind, Feature, HostImports, HostItem, LimitExceeded, LimitKind, Limits, MemoryType, RuntimeKind, TableType,
    Trap, ValType, Value,
};

use crate::vocabulary::{PAGE, is_refused_for, on_each, refused, trapped};

const TWO_MEMORIES: &str = r#"
(module
  (memory $a 1)
  (memory $b 2)
  (func (export "grow_a") (param i32) (result i32) (memory.grow $a (local.get 0)))
  (func (export "grow_b") (param i32) (result i32) (memory.grow $b (local.get 0))))"#;

const OF_HOST: &str = r#"
(module
  (import "host" "memory" (memory 1))
  (export "memory" (memory 0))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))"#;

const SHARED: &str = r#"
(module
  (memory 1 4 shared)
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))"#;

fn pages(number: u64) -> Limits {
    Limits::none().with_memory(number * PAGE)
}

fn memory_of_host(ty: MemoryType) -> HostImports {
    HostImports::none().with("host", "memory", HostItem::Memory(ty))
}

fn shared(minimum: u64, maximum: u64) -> MemoryType {
    let mut ty = MemoryType::new(minimum, Some(maximum));
    ty.shared = true;
    ty
}

#[test]
fn several_memories_share_one_limit() {
    on_each(|engine| {
        if !engine.has(Feature::MultiMemory) {
            return is_refused_for(&[Feature::MultiMemory], engine, TWO_MEMORIES);
        }
        let mut guest = engine.start_within(pages(5), TWO_MEMORIES).unwrap();
        let mut grow = |name, by| guest.call_simple_function(name, &[by]).unwrap();
        assert_eq!(grow("grow_a", 3), -1);
        assert_eq!(grow("grow_a", 1), 1);
        assert_eq!(grow("grow_b", 2), -1, "what one has taken the other cannot get");
        assert_eq!(grow("grow_b", 1), 2);
        assert_eq!(grow("grow_a", 1), -1);
        assert_eq!((guest.memory_bytes(), guest.memory_peak_bytes()), (5 * PAGE, 5 * PAGE));
    });
}

#[test]
fn the_minimums_of_several_memories_count_together() {
    on_each(|engine| {
        if !engine.has(Feature::MultiMemory) {
            return is_refused_for(&[Feature::MultiMemory], engine, TWO_MEMORIES);
        }
        let error = refused(engine.start_within(pages(2), TWO_MEMORIES), ErrorKind::Limit);
        assert_eq!(error.limit_exceeded(), Some(LimitExceeded::new(LimitKind::Memory, 2 * PAGE, 3 * PAGE)));
        engine.start_within(pages(3), TWO_MEMORIES).unwrap();
    });
}

#[test]
fn a_memory_of_the_host_counts() {
    on_each(|engine| {
        let imports = memory_of_host(MemoryType::new(2, None));
        let error = refused(engine.start_importing_within(pages(1), &imports, OF_HOST), ErrorKind::Limit);
        assert_eq!(error.limit_exceeded(), Some(LimitExceeded::new(LimitKind::Memory, PAGE, 2 * PAGE)));
        let mut guest = engine.start_importing_within(pages(3), &imports, OF_HOST).unwrap();
        assert_eq!(guest.memory_bytes(), 2 * PAGE);
        assert_eq!(guest.call_simple_function("grow", &[2]).unwrap(), -1);
        assert_eq!(guest.call_simple_function("grow", &[1]).unwrap(), 2);
        assert_eq!((guest.memory_bytes(), guest.memory_peak_bytes()), (3 * PAGE, 3 * PAGE));
    });
}

#[test]
fn an_offered_memory_that_is_not_imported_does_not_count() {
    on_each(|engine| {
        let imports = memory_of_host(MemoryType::new(100, None));
        let guest = engine.start_importing_within(pages(1), &imports, "(module (memory 1))").unwrap();
        assert_eq!(guest.memory_bytes(), PAGE);
    });
}

#[test]
fn a_memory_of_the_host_and_one_of_the_guest_share_one_limit() {
    let wat = r#"
        (module
          (import "host" "memory" (memory $host 1))
          (memory $own 1)
          (func (export "grow_host") (param i32) (result i32) (memory.grow $host (local.get 0)))
          (func (export "grow_own") (param i32) (result i32) (memory.grow $own (local.get 0))))"#;
    on_each(|engine| {
        if !engine.has(Feature::MultiMemory) {
            return is_refused_for(&[Feature::MultiMemory], engine, wat);
        }
        let imports = memory_of_host(MemoryType::new(1, None));
        let mut guest = engine.start_importing_within(pages(3), &imports, wat).unwrap();
        assert_eq!(guest.call_simple_function("grow_host", &[1]).unwrap(), 1);
        assert_eq!(guest.call_simple_function("grow_own", &[1]).unwrap(), -1);
        assert_eq!(guest.memory_bytes(), 3 * PAGE);
    });
}

#[test]
fn a_shared_memory_counts_with_its_maximum() {
    on_each(|engine| {
        if !engine.has(Feature::Threads) {
            return is_refused_for(&[Feature::Threads], engine, SHARED);
        }
        let error = refused(engine.start_within(pages(3), SHARED), ErrorKind::Limit);
        assert_eq!(error.limit_exceeded(), Some(LimitExceeded::new(LimitKind::Memory, 3 * PAGE, 4 * PAGE)));
        let mut guest = engine.start_within(pages(4), SHARED).unwrap();
        assert_eq!(guest.memory_bytes(), 4 * PAGE, "from the start");
        assert_eq!(guest.call_simple_function("grow", &[3]).unwrap(), 1, "it was counted");
        assert_eq!((guest.memory_bytes(), guest.memory_peak_bytes()), (4 * PAGE, 4 * PAGE), "once");
        assert_eq!(guest.call_simple_function("grow", &[1]).unwrap(), -1);
    });
}

#[test]
fn a_shared_memory_of_the_host_counts_with_its_maximum() {
    let wat = r#"(module (import "host" "memory" (memory 1 8 shared)))"#;
    on_each(|engine| {
        if !engine.has(Feature::Threads) {
            return is_refused_for(&[Feature::Threads], engine, wat);
        }
        let imports = memory_of_host(shared(1, 6));
        let error = refused(engine.start_importing_within(pages(5), &imports, wat), ErrorKind::Limit);
        assert_eq!(error.limit_exceeded(), Some(LimitExceeded::new(LimitKind::Memory, 5 * PAGE, 6 * PAGE)));
        let guest = engine.start_importing_within(pages(6), &imports, wat).unwrap();
        assert_eq!(guest.memory_bytes(), 6 * PAGE);
    });
}

#[test]
fn an_imported_table_counts_towards_the_limit() {
    let wat = r#"
        (module
          (import "host" "table" (table 1 funcref))
          (func (export "grow") (param i32) (result i32) (table.grow (ref.null func) (local.get 0))))"#;
    on_each(|engine| {
        let table = HostItem::Table(TableType::new(ValType::FuncRef, 3, None));
        let imports = HostImports::none().with("host", "table", table);
        let within =
            |elements| engine.start_importing_within(Limits::none().with_table_elements(elements), &imports, wat);
        let error = refused(within(2), ErrorKind::Limit);
        assert_eq!(error.limit_exceeded(), Some(LimitExceeded::new(LimitKind::TableElements, 2, 3)));
        let mut guest = within(4).unwrap();
        assert_eq!(guest.call_simple_function("grow", &[2]).unwrap(), -1);
        assert_eq!(guest.call_simple_function("grow", &[1]).unwrap(), 3);
    });
}

/// Wasmtime keeps GC objects in a linear memory, which counts. Wasmer has no GC.
#[test]
fn gc_objects_count_towards_the_memory_limit() {
    let wat = r#"
        (module
          (type $row (array (mut i64)))
          (global $kept (mut (ref null $row)) (ref.null $row))
          (func $keep (export "keep") (param i32)
            (global.set $kept (array.new_default $row (local.get 0)))))"#;
    on_each(|engine| {
        if !engine.has(Feature::Gc) {
            return is_refused_for(&[Feature::FunctionReferences, Feature::Gc], engine, wat);
        }
        let mut guest = engine.start_within(pages(4), wat).unwrap();
        guest.call("keep", &[Value::I32(1000)]).unwrap();
        assert!((8000..=4 * PAGE).contains(&guest.memory_bytes()), "{} bytes", guest.memory_bytes());
        let error = trapped(guest.call("keep", &[Value::I32(100_000)]), Trap::AllocationTooLarge);
        assert_eq!(error.message().lines().count(), 1, "{error}");
        assert_eq!(error.backtrace()[0].function.as_deref(), Some("keep"));
        assert!(guest.memory_peak_bytes() <= 4 * PAGE, "{} bytes", guest.memory_peak_bytes());
        guest.recover();
        guest.call("keep", &[Value::I32(1000)]).unwrap();
    });
}

#[test]
fn host_references_count_towards_the_limit_if_they_use_guest_memory() {
    let wat = r#"(module (func (export "id") (param externref) (result externref) (local.get 0)))"#;
    on_each(|engine| {
        let mut guest = engine.start_within(pages(0), wat).unwrap();
        let number = Value::ExternRef(Some(1));
        match engine.kind {
            RuntimeKind::Wasmtime => drop(refused(guest.call("id", &[number]), ErrorKind::Limit)),
            RuntimeKind::Wasmer => assert_eq!(guest.call("id", &[number]).unwrap(), [number]),
        }
        assert_eq!((guest.memory_bytes(), guest.memory_peak_bytes()), (0, 0));
        assert_eq!(guest.call("id", &[Value::ExternRef(None)]).unwrap(), [Value::ExternRef(None)]);
    });
}
