//! Access to guest memory from the host: sizes, reads and writes, with bounds checks.

use wrun::Value::I32;
use wrun::{ErrorKind, Feature, InstanceState, LimitKind, Limits, RuntimeKind, Trap, WasmInstance, WasmInstanceExt};

use crate::vocabulary::{PAGE, assert_contains, hints, on_each, on_each_with, refused, trapped};

const ONE_PAGE: &str = r#"
(module
  (memory (export "memory") 1 3)
  (data (i32.const 16) "hello")
  (func (export "load") (param i32) (result i32) (i32.load8_u (local.get 0)))
  (func (export "store") (param i32 i32) (i32.store8 (local.get 0) (local.get 1)))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))"#;

#[track_caller]
fn read(guest: &mut dyn WasmInstance, offset: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0xaa; length];
    guest.read_memory("memory", offset, &mut bytes).unwrap();
    bytes
}

#[test]
fn the_host_reads_what_the_module_and_the_guest_wrote() {
    on_each(|engine| {
        let mut guest = engine.start(ONE_PAGE);
        assert_eq!(read(guest.as_mut(), 15, 7), b"\0hello\0");
        guest.call("store", &[I32(20), I32(i32::from(b'p'))]).unwrap();
        assert_eq!(read(guest.as_mut(), 16, 5), b"hellp");
    });
}

#[test]
fn the_guest_reads_what_the_host_wrote() {
    on_each(|engine| {
        let mut guest = engine.start(ONE_PAGE);
        guest.write_memory("memory", 100, &[1, 2, 255]).unwrap();
        assert_eq!(guest.call_simple_function("load", &[102]).unwrap(), 255);
        assert_eq!(guest.call_simple_function("load", &[103]).unwrap(), 0);
    });
}

#[test]
fn the_last_byte_is_in_bounds_and_the_next_is_not() {
    on_each(|engine| {
        let mut guest = engine.start(ONE_PAGE);
        guest.write_memory("memory", PAGE - 4, &[1, 2, 3, 4]).unwrap();
        assert_eq!(read(guest.as_mut(), PAGE - 4, 4), [1, 2, 3, 4]);
        let error = refused(guest.read_memory("memory", PAGE - 3, &mut [0; 4]), ErrorKind::MemoryAccess);
        assert_contains(error.message(), &["4 bytes at offset 65533", "65536 bytes"]);
        refused(guest.read_memory("memory", PAGE, &mut [0]), ErrorKind::MemoryAccess);
    });
}

#[test]
fn a_write_past_the_end_writes_nothing() {
    on_each(|engine| {
        let mut guest = engine.start(ONE_PAGE);
        refused(guest.write_memory("memory", PAGE - 3, &[9; 4]), ErrorKind::MemoryAccess);
        assert_eq!(read(guest.as_mut(), PAGE - 3, 3), [0; 3]);
    });
}

#[test]
fn a_refused_read_does_not_change_the_buffer() {
    on_each(|engine| {
        let mut buffer = [7; 4];
        let mut guest = engine.start(ONE_PAGE);
        refused(guest.read_memory("memory", PAGE - 3, &mut buffer), ErrorKind::MemoryAccess);
        assert_eq!(buffer, [7; 4]);
    });
}

#[test]
fn offsets_that_overflow_are_refused() {
    on_each(|engine| {
        let mut guest = engine.start(ONE_PAGE);
        for offset in [u64::MAX, u64::MAX - 1, 1 << 63, 1 << 32, (1 << 32) + 16] {
            refused(guest.read_memory("memory", offset, &mut [0; 2]), ErrorKind::MemoryAccess);
            refused(guest.write_memory("memory", offset, &[0; 2]), ErrorKind::MemoryAccess);
        }
    });
}

#[test]
fn empty_accesses_are_allowed_up_to_the_end() {
    on_each(|engine| {
        let mut guest = engine.start(ONE_PAGE);
        for offset in [0, 1, PAGE] {
            guest.read_memory("memory", offset, &mut []).unwrap();
            guest.write_memory("memory", offset, &[]).unwrap();
        }
        for offset in [PAGE + 1, u64::MAX] {
            refused(guest.read_memory("memory", offset, &mut []), ErrorKind::MemoryAccess);
            refused(guest.write_memory("memory", offset, &[]), ErrorKind::MemoryAccess);
        }
    });
}

#[test]
fn the_size_and_the_bounds_follow_growth() {
    on_each(|engine| {
        let mut guest = engine.start(ONE_PAGE);
        assert_eq!(guest.memory_size("memory").unwrap(), PAGE);
        assert_eq!(guest.call_simple_function("grow", &[1]).unwrap(), 1);
        assert_eq!(guest.memory_size("memory").unwrap(), 2 * PAGE);
        guest.write_memory("memory", 2 * PAGE - 1, &[5]).unwrap();
        assert_eq!(guest.call_simple_function("load", &[0x1_ffff]).unwrap(), 5);
        refused(guest.read_memory("memory", 2 * PAGE, &mut [0]), ErrorKind::MemoryAccess);
        assert_eq!(read(guest.as_mut(), 16, 5), b"hello", "the contents stay");
    });
}

#[test]
fn a_memory_of_no_pages_has_no_bytes() {
    on_each(|engine| {
        let mut guest = engine.start(r#"(module (memory (export "memory") 0))"#);
        assert_eq!(guest.memory_size("memory").unwrap(), 0);
        guest.read_memory("memory", 0, &mut []).unwrap();
        refused(guest.read_memory("memory", 0, &mut [0]), ErrorKind::MemoryAccess);
        refused(guest.write_memory("memory", 0, &[0]), ErrorKind::MemoryAccess);
    });
}

#[test]
fn a_memory_that_is_not_exported_is_not_found() {
    on_each(|engine| {
        let mut guest = engine.start(ONE_PAGE);
        let error = refused(guest.memory_size("hidden"), ErrorKind::UnknownExport);
        assert_contains(error.message(), &["no memory `hidden`"]);
        assert_contains(&hints(&error), &["exported: `memory`"]);
        refused(guest.read_memory("hidden", 0, &mut []), ErrorKind::UnknownExport);
        refused(guest.write_memory("load", 0, &[]), ErrorKind::UnknownExport);
        refused(engine.start("(module (memory 1))").memory_size("memory"), ErrorKind::UnknownExport);
    });
}

#[test]
fn a_refused_access_does_not_crash_the_instance() {
    on_each(|engine| {
        let mut guest = engine.start(ONE_PAGE);
        refused(guest.write_memory("memory", u64::MAX, &[0]), ErrorKind::MemoryAccess);
        assert_eq!(guest.state(), InstanceState::Ready);
        assert_eq!(guest.call_simple_function("load", &[16]).unwrap(), i32::from(b'h'));
    });
}

#[test]
fn memories_are_distinguished_by_name() {
    let wat = r#"(module (memory (export "a") 1) (memory (export "b") 2) (data (memory 1) (i32.const 0) "b"))"#;
    on_each_with(&[Feature::MultiMemory], wat, |_, guest| {
        assert_eq!(guest.memory_size("a").unwrap(), PAGE);
        assert_eq!(guest.memory_size("b").unwrap(), 2 * PAGE);
        let mut byte = [0];
        guest.write_memory("a", 0, b"a").unwrap();
        guest.read_memory("b", 0, &mut byte).unwrap();
        assert_eq!(&byte, b"b");
    });
}

#[test]
fn a_memory_exported_twice_is_one_memory() {
    on_each(|engine| {
        let mut guest = engine.start(r#"(module (memory (export "a") (export "b") 1))"#);
        guest.write_memory("a", 3, &[42]).unwrap();
        let mut byte = [0];
        guest.read_memory("b", 3, &mut byte).unwrap();
        assert_eq!(byte, [42]);
        assert_eq!(guest.memory_bytes(), PAGE, "and counts once");
    });
}

#[test]
fn a_memory_with_64_bit_addresses_has_the_same_bounds() {
    let wat = r#"
        (module
          (memory (export "memory") i64 1 3)
          (func (export "grow") (param i64) (result i64) (memory.grow (local.get 0)))
          (func (export "load") (param i64) (result i32) (i32.load8_u (local.get 0))))"#;
    on_each_with(&[Feature::Memory64], wat, |_, guest| {
        guest.write_memory("memory", PAGE - 1, &[7]).unwrap();
        assert_eq!(guest.call_json("load", "65535").unwrap(), "7");
        refused(guest.write_memory("memory", PAGE, &[7]), ErrorKind::MemoryAccess);
        refused(guest.read_memory("memory", u64::MAX, &mut [0]), ErrorKind::MemoryAccess);
        assert_eq!(guest.call_json("grow", "1").unwrap(), "1");
        assert_eq!(guest.memory_size("memory").unwrap(), 2 * PAGE);
        guest.write_memory("memory", PAGE, &[7]).unwrap();
    });
}

#[test]
fn a_shared_memory_is_read_and_written_like_another() {
    let wat = r#"
        (module
          (memory (export "memory") 1 2 shared)
          (func (export "add") (param i32) (result i32) (i32.atomic.rmw.add (i32.const 8) (local.get 0))))"#;
    on_each_with(&[Feature::Threads], wat, |_, guest| {
        guest.write_memory("memory", 8, &[40, 0, 0, 0]).unwrap();
        assert_eq!(guest.call_simple_function("add", &[2]).unwrap(), 40);
        assert_eq!(read(guest, 8, 4), [42, 0, 0, 0]);
        assert_eq!(guest.memory_size("memory").unwrap(), PAGE);
        refused(guest.read_memory("memory", PAGE, &mut [0]), ErrorKind::MemoryAccess);
    });
}

/// Throws and catches exceptions: one after the other, or some of which each stays on the stack.
const THROWING: &str = r#"(module (memory 1) (tag $t (param i64))
  (func $throw (param i32) (result exnref) (local exnref)
    (block $caught (result i64 exnref)
      (try_table (catch_ref $t $caught) (throw $t (i64.extend_i32_u (local.get 0)))) (unreachable))
    (local.set 1) (drop) (local.get 1))
  (func (export "throw") (param $left i32)
    (loop $again
      (drop (call $throw (local.get $left)))
      (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1))))))
  (func $keep (export "keep") (param $left i32) (local $kept exnref)
    (local.set $kept (call $throw (local.get $left)))
    (if (local.get $left) (then (call $keep (i32.sub (local.get $left) (i32.const 1)))))
    (if (ref.is_null (local.get $kept)) (then (unreachable)))))"#;

#[test]
fn a_guest_with_full_memory_can_throw_and_catch() {
    on_each(|engine| {
        if !engine.has(Feature::Exceptions) {
            return;
        }
        let sizes = |guest: &dyn WasmInstance| [guest.memory_bytes(), guest.memory_peak_bytes()];
        let guest = &mut *engine.start(THROWING);
        guest.call("throw", &[I32(5)]).unwrap();
        assert_eq!(sizes(guest), [PAGE, PAGE], "only linear memory counts");
        if engine.kind != RuntimeKind::Wasmtime {
            return; // Wasmer refuses the limit.
        }
        let guest = &mut *engine.start_within(Limits::none().with_memory(PAGE), THROWING).unwrap();
        guest.call("throw", &[I32(100_000)]).unwrap();
        guest.call("keep", &[I32(100)]).unwrap();
        assert_eq!(sizes(guest), [PAGE, PAGE]);
        let error = trapped(guest.call("keep", &[I32(5_000)]), Trap::AllocationTooLarge);
        assert_eq!(error.limit_exceeded().map(|limit| (limit.kind, limit.limit)), Some((LimitKind::Memory, PAGE)));
        let guest = &mut *engine.start(THROWING);
        guest.call("keep", &[I32(5_000)]).unwrap();
        assert!(guest.memory_bytes() > 2 * PAGE, "more than the first page counts");
    });
}
