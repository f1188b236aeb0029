//! Limits on a memory and on tables: growth up to a limit works, growth beyond it returns -1, a larger minimum is
//! refused.

use wrun::{
    Capabilities, ErrorKind, Feature, InstanceState, LimitExceeded, LimitKind, Limits, WasmInstance, WasmInstanceExt,
};

use crate::vocabulary::{Engine, PAGE, assert_contains, is_refused_for, on_each, refused};

const ONE_PAGE: &str = r#"
(module
  (memory (export "memory") 1)
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "size") (result i32) (memory.size)))"#;

const TWO_ELEMENTS: &str = r#"
(module
  (table $a 2 funcref)
  (table $b 1 externref)
  (func (export "grow") (param i32) (result i32) (table.grow $a (ref.null func) (local.get 0)))
  (func (export "grow_b") (param i32) (result i32) (table.grow $b (ref.null extern) (local.get 0)))
  (func (export "size") (result i32) (table.size $a)))"#;

fn memory(bytes: u64) -> Limits {
    Limits::none().with_memory(bytes)
}

fn elements(number: u64) -> Limits {
    Limits::none().with_table_elements(number)
}

fn grow(guest: &mut dyn WasmInstance, by: i32) -> i32 {
    guest.call_simple_function("grow", &[by]).unwrap()
}

fn size(guest: &mut dyn WasmInstance) -> i32 {
    guest.call_simple_function("size", &[]).unwrap()
}

#[track_caller]
fn in_use(guest: &dyn WasmInstance, bytes: u64) {
    assert_eq!((guest.memory_bytes(), guest.memory_peak_bytes()), (bytes, bytes), "bytes in use, and their peak");
}

#[test]
fn memory_grows_up_to_the_limit() {
    on_each(|engine| {
        let mut guest = engine.start_within(memory(3 * PAGE), ONE_PAGE).unwrap();
        assert_eq!(grow(guest.as_mut(), 3), -1, "4 pages");
        assert_eq!(grow(guest.as_mut(), 2), 1, "3 pages");
        assert_eq!(grow(guest.as_mut(), 1), -1, "4 pages");
        assert_eq!(grow(guest.as_mut(), 0), 3, "no growth at the limit");
        assert_eq!(size(guest.as_mut()), 3);
        assert_eq!(guest.state(), InstanceState::Ready, "refused growth is no trap");
    });
}

#[test]
fn a_limit_within_a_page_is_rounded_down() {
    on_each(|engine| {
        let mut guest = engine.start_within(memory(3 * PAGE - 1), ONE_PAGE).unwrap();
        assert_eq!(grow(guest.as_mut(), 2), -1);
        assert_eq!(grow(guest.as_mut(), 1), 1);
    });
}

#[test]
fn the_bytes_in_use_and_their_peak_are_right_after_growth() {
    on_each(|engine| {
        let mut guest = engine.start_within(memory(10 * PAGE), ONE_PAGE).unwrap();
        in_use(guest.as_ref(), PAGE);
        grow(guest.as_mut(), 4);
        in_use(guest.as_ref(), 5 * PAGE);
        grow(guest.as_mut(), 6);
        in_use(guest.as_ref(), 5 * PAGE);
        grow(guest.as_mut(), 0);
        in_use(guest.as_ref(), 5 * PAGE);
    });
}

#[test]
fn growth_that_the_module_itself_forbids_counts_nothing() {
    let wat = ONE_PAGE.replace("\"memory\") 1", "\"memory\") 1 3");
    on_each(|engine| {
        let mut guest = engine.start_within(memory(100 * PAGE), &wat).unwrap();
        assert_eq!(grow(guest.as_mut(), 3), -1, "past the declared maximum");
        in_use(guest.as_ref(), PAGE);
        assert_eq!(grow(guest.as_mut(), 2), 1);
        in_use(guest.as_ref(), 3 * PAGE);
        assert_eq!(grow(guest.as_mut(), 1), -1);
        in_use(guest.as_ref(), 3 * PAGE);
    });
}

#[test]
fn growth_past_what_32_bits_address_counts_nothing() {
    on_each(|engine| {
        let mut guest = engine.start(ONE_PAGE);
        for pages in [65_536, -1, i32::MIN, i32::MAX] {
            assert_eq!(grow(guest.as_mut(), pages), -1);
            in_use(guest.as_ref(), PAGE);
        }
        assert_eq!(grow(guest.as_mut(), 1), 1);
        in_use(guest.as_ref(), 2 * PAGE);
    });
}

#[test]
fn denied_growth_does_not_change_the_budget() {
    on_each(|engine| {
        let mut guest = engine.start_within(memory(4 * PAGE), ONE_PAGE).unwrap();
        for round in 0..6 {
            assert_eq!(grow(guest.as_mut(), 1), if round < 3 { round + 1 } else { -1 });
            assert_eq!(grow(guest.as_mut(), 65_536), -1);
        }
        assert_eq!(size(guest.as_mut()), 4);
        in_use(guest.as_ref(), 4 * PAGE);
    });
}

/// Wasmtime, which has such pages, denies some growth without asking the limiter.
#[test]
fn denied_growth_with_pages_of_one_byte_does_not_change_the_budget() {
    let wat = ONE_PAGE.replace("\"memory\") 1", "\"memory\") 1 (pagesize 1)");
    on_each(|engine| {
        if !engine.has(Feature::CustomPageSizes) {
            return is_refused_for(&[Feature::CustomPageSizes], engine, &wat);
        }
        let mut guest = engine.start_within(memory(100), &wat).unwrap();
        for round in 0..4 {
            assert_eq!(grow(guest.as_mut(), -1), -1, "4 GiB");
            assert_eq!(grow(guest.as_mut(), 33), if round < 3 { 33 * round + 1 } else { -1 });
        }
        assert_eq!(size(guest.as_mut()), 100);
        in_use(guest.as_ref(), 100);
    });
}

#[test]
fn growth_the_machine_cannot_give_counts_nothing() {
    let wat = r#"
        (module
          (memory (export "memory") i64 1)
          (func (export "grow") (param i64) (result i64) (memory.grow (local.get 0))))"#;
    on_each(|engine| {
        if !engine.has(Feature::Memory64) {
            return is_refused_for(&[Feature::Memory64], engine, wat);
        }
        let mut guest = engine.start(wat);
        for pages in ["0x0000_0001_0000_0000", "0x0000_ffff_ffff_ffff", "-1"] {
            assert_eq!(guest.call_json("grow", &format!("\"{pages}\"")).unwrap(), "-1", "{pages} pages");
            in_use(guest.as_ref(), PAGE);
        }
        assert_eq!(guest.call_json("grow", "2").unwrap(), "1");
        in_use(guest.as_ref(), 3 * PAGE);
    });
}

#[track_caller]
fn exceeds(engine: &Engine, limits: Limits, wat: &str, kind: LimitKind, limit: u64, attempted: u64) {
    let error = refused(engine.start_within(limits, wat), ErrorKind::Limit);
    assert_eq!(error.limit_exceeded(), Some(LimitExceeded::new(kind, limit, attempted)));
    assert_contains(error.message(), &[&limit.to_string(), &attempted.to_string()]);
}

#[test]
fn a_memory_whose_minimum_is_past_the_limit_is_refused() {
    on_each(|engine| {
        exceeds(engine, memory(PAGE - 1), ONE_PAGE, LimitKind::Memory, PAGE - 1, PAGE);
        exceeds(engine, memory(0), ONE_PAGE, LimitKind::Memory, 0, PAGE);
        let wat = "(module (memory 200) (func $start unreachable) (start $start))";
        exceeds(engine, memory(199 * PAGE), wat, LimitKind::Memory, 199 * PAGE, 200 * PAGE);
        assert_eq!(engine.runtime.metrics().instances_created, 0);
    });
}

#[test]
fn a_memory_whose_minimum_is_the_limit_starts_and_stays() {
    on_each(|engine| {
        let mut guest = engine.start_within(memory(PAGE), ONE_PAGE).unwrap();
        assert_eq!(grow(guest.as_mut(), 1), -1);
        let empty = ONE_PAGE.replace("\"memory\") 1", "\"memory\") 0");
        let mut guest = engine.start_within(memory(0), &empty).unwrap();
        assert_eq!(grow(guest.as_mut(), 1), -1);
        engine.start_within(memory(0), "(module)").unwrap();
    });
}

#[test]
fn each_instance_has_limits_of_its_own() {
    on_each(|engine| {
        let module = engine.load(ONE_PAGE);
        let start = |limits| engine.runtime.create_instance(module.as_ref(), limits, Capabilities::none()).unwrap();
        let (mut small, mut large) = (start(memory(2 * PAGE)), start(memory(3 * PAGE)));
        let mut free = start(Limits::none());
        assert_eq!(grow(large.as_mut(), 2), 1);
        assert_eq!(grow(small.as_mut(), 2), -1);
        assert_eq!(grow(free.as_mut(), 1000), 1);
        assert_eq!(grow(small.as_mut(), 1), 1);
        assert_eq!((size(small.as_mut()), size(large.as_mut()), size(free.as_mut())), (2, 3, 1001));
    });
}

#[test]
fn the_memory_limit_applies_to_the_start_function() {
    let wat = r#"
        (module
          (memory 1)
          (global $grown (export "grown") (mut i32) (i32.const 0))
          (func $start (global.set $grown (memory.grow (i32.const 2))))
          (start $start))"#;
    on_each(|engine| {
        let grown = |pages: u64| engine.start_within(memory(pages * PAGE), wat).unwrap().global("grown").unwrap();
        assert_eq!(grown(2), wrun::Value::I32(-1));
        assert_eq!(grown(3), wrun::Value::I32(1));
    });
}

#[test]
fn a_table_grows_up_to_the_limit_and_not_past_it() {
    on_each(|engine| {
        let mut guest = engine.start_within(elements(5), TWO_ELEMENTS).unwrap();
        assert_eq!(grow(guest.as_mut(), 4), -1, "6 elements");
        assert_eq!(grow(guest.as_mut(), 3), 2, "5 elements");
        assert_eq!(grow(guest.as_mut(), 1), -1, "6 elements");
        assert_eq!(grow(guest.as_mut(), -1), -1);
        assert_eq!(size(guest.as_mut()), 5);
        assert_eq!(guest.call_simple_function("grow_b", &[4]).unwrap(), 1, "each table has the limit to itself");
        assert_eq!(guest.call_simple_function("grow_b", &[1]).unwrap(), -1);
        assert_eq!(guest.state(), InstanceState::Ready);
    });
}

#[test]
fn a_table_without_a_limit_grows_and_its_own_maximum_holds() {
    on_each(|engine| {
        let mut guest = engine.start(TWO_ELEMENTS);
        assert_eq!(grow(guest.as_mut(), 100_000), 2);
        let bounded = TWO_ELEMENTS.replace("$a 2 funcref", "$a 2 4 funcref");
        let mut guest = engine.start_within(elements(100), &bounded).unwrap();
        assert_eq!(grow(guest.as_mut(), 3), -1);
        assert_eq!(grow(guest.as_mut(), 2), 2);
    });
}

#[test]
fn a_table_without_a_limit_has_the_same_maximum_on_every_engine() {
    on_each(|engine| {
        for limits in [Limits::none(), elements(u64::MAX)] {
            let mut guest = engine.start_within(limits, TWO_ELEMENTS).unwrap();
            assert_eq!(grow(guest.as_mut(), -16), -1, "4294967280 elements");
            assert_eq!(grow(guest.as_mut(), 128 << 20), -1, "two more than 1 GiB of references");
            assert_eq!(guest.state(), InstanceState::Ready);
            assert_eq!(grow(guest.as_mut(), 1), 2);
        }
        let (bound, past) = (128 << 20, 0xffff_ffff);
        exceeds(engine, Limits::none(), "(module (table 0xffff_ffff funcref))", LimitKind::TableElements, bound, past);
    });
}

#[test]
fn a_table_whose_minimum_is_past_the_limit_is_refused() {
    on_each(|engine| {
        exceeds(engine, elements(1), TWO_ELEMENTS, LimitKind::TableElements, 1, 2);
        exceeds(engine, elements(0), TWO_ELEMENTS, LimitKind::TableElements, 0, 2);
        let mut guest = engine.start_within(elements(2), TWO_ELEMENTS).unwrap();
        assert_eq!(grow(guest.as_mut(), 1), -1);
    });
}

#[test]
fn tables_do_not_count_as_linear_memory() {
    on_each(|engine| {
        let mut guest = engine.start_within(memory(0), "(module (table 1000 funcref))").unwrap();
        in_use(guest.as_mut(), 0);
    });
}
