//! A trap after denied growth names the limit; other traps do not.

use wrun::{LimitExceeded, LimitKind, Limits, Trap, Value, WasmInstance, WasmInstanceExt};

use crate::vocabulary::{PAGE, on_each, trapped};

/// Grows tables and then traps or returns. The table `fixed` has its own maximum.
const GUEST: &str = r#"
(module
  (table $a 2 funcref)
  (table $b 1 externref)
  (table $fixed 1 3 funcref)
  (func (export "grow") (param i32) (result i32) (table.grow $a (ref.null func) (local.get 0)))
  (func (export "grow_then_trap") (param i32) (drop (table.grow $a (ref.null func) (local.get 0))) (unreachable))
  (func (export "grow_b_then_trap") (param i32) (drop (table.grow $b (ref.null extern) (local.get 0))) (unreachable))
  (func (export "grow_fixed_then_trap") (param i32)
    (drop (table.grow $fixed (ref.null func) (local.get 0))) (unreachable))
  (func (export "sum_of_sizes") (param i32 i32) (result i32)
    (i32.add (table.grow $a (ref.null func) (local.get 0))
      (i32.mul (i32.const 1000) (table.grow $b (ref.null extern) (local.get 1)))))
  (func (export "trap") (unreachable)))"#;

fn limit_of_trap(guest: &mut dyn WasmInstance, function: &str, more: i32) -> Option<LimitExceeded> {
    guest.recover();
    let args: &[Value] = if function == "trap" { &[] } else { &[Value::I32(more)] };
    trapped(guest.call(function, args), Trap::Unreachable).limit_exceeded()
}

#[test]
fn a_trap_after_table_growth_was_denied_names_the_limit_and_what_was_asked_for() {
    on_each(|engine| {
        let guest = &mut *engine.start_within(Limits::none().with_table_elements(10), GUEST).unwrap();
        let past = |attempted| Some(LimitExceeded::new(LimitKind::TableElements, 10, attempted));
        assert_eq!(limit_of_trap(guest, "grow_then_trap", 9), past(11));
        assert_eq!(limit_of_trap(guest, "grow_b_then_trap", 100), past(101));
        assert_eq!(limit_of_trap(guest, "grow_then_trap", 100_000_000), past(100_000_002));
        assert_eq!(limit_of_trap(guest, "grow_then_trap", -1), None, "no table may have so many, with no limit either");
        assert_eq!(limit_of_trap(guest, "grow_then_trap", 8), None, "that much there is room for");
    });
}

#[test]
fn growth_that_was_denied_in_an_earlier_call_is_not_named() {
    on_each(|engine| {
        let guest = &mut *engine.start_within(Limits::none().with_table_elements(10), GUEST).unwrap();
        assert_eq!(guest.call_simple_function("grow", &[9]).unwrap(), -1);
        assert_eq!(limit_of_trap(guest, "trap", 0), None);
    });
}

#[test]
fn growth_past_the_maximum_of_the_table_does_not_name_the_limit() {
    on_each(|engine| {
        let guest = &mut *engine.start_within(Limits::none().with_table_elements(10), GUEST).unwrap();
        assert_eq!(limit_of_trap(guest, "grow_fixed_then_trap", 5), None);
        assert_eq!(limit_of_trap(guest, "grow_fixed_then_trap", 50), None);
    });
}

#[test]
fn limiting_growth_does_not_change_values_or_the_stack() {
    on_each(|engine| {
        let guest = &mut *engine.start_within(Limits::none().with_table_elements(10), GUEST).unwrap();
        let sum: i32 = guest.call_typed("sum_of_sizes", (3, 2)).unwrap();
        assert_eq!(sum, 2 + 1000, "what each had before it grew");
        let sum: i32 = guest.call_typed("sum_of_sizes", (3, 20)).unwrap();
        assert_eq!(sum, 5 - 1000);
    });
}

#[test]
fn growth_past_the_maximum_of_the_memory_does_not_name_the_limit() {
    let guest = r#"(module (memory 1 2)
      (func (export "grow_then_trap") (param i32) (drop (memory.grow (local.get 0))) (unreachable)))"#;
    on_each(|engine| {
        let limit = 3 * PAGE;
        let guest = &mut *engine.start_within(Limits::none().with_memory(limit), guest).unwrap();
        for more in [2, 10, 65536, -1] {
            assert_eq!(limit_of_trap(guest, "grow_then_trap", more), None, "{more} more");
        }
        assert_eq!(guest.memory_peak_bytes(), PAGE);
        let unbounded = r#"(module (memory 1)
          (func (export "grow_then_trap") (param i32) (drop (memory.grow (local.get 0))) (unreachable)))"#;
        let guest = &mut *engine.start_within(Limits::none().with_memory(limit), unbounded).unwrap();
        let denied = Some(LimitExceeded::new(LimitKind::Memory, limit, 4 * PAGE));
        assert_eq!(limit_of_trap(guest, "grow_then_trap", 3), denied);
        assert_eq!(limit_of_trap(guest, "grow_then_trap", -1), None, "no memory may have so many pages");
    });
}
