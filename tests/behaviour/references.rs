//! References: functions become numbers for the host and the same functions again; guests pass host references through.

use std::sync::{Arc, Mutex};

use wrun::{ErrorKind, FuncType, HostImports, Limits, RuntimeKind, ValType, Value, WasmInstance};

use crate::vocabulary::{PAGE, assert_contains, on_each, refused};
use Value::{ExternRef, FuncRef, I32};

const FUNCTIONS: &str = r#"
(module
  (type $unary (func (param i32) (result i32)))
  (table $scratch 1 funcref)
  (elem declare func $double $negate)
  (global (export "first") funcref (ref.func $double))
  (func $double (export "double") (type $unary) (i32.mul (local.get 0) (i32.const 2)))
  (func $negate (export "negate") (type $unary) (i32.sub (i32.const 0) (local.get 0)))
  (func (export "get_double") (result funcref) (ref.func $double))
  (func (export "get_negate") (result funcref) (ref.func $negate))
  (func (export "get_both") (result funcref i32 funcref) (ref.func $double) (i32.const 1) (ref.func $negate))
  (func (export "get_null") (result funcref) (ref.null func))
  (func (export "is_null") (param funcref) (result i32) (ref.is_null (local.get 0)))
  (func (export "id") (param funcref) (result funcref) (local.get 0))
  (func (export "apply") (param funcref i32) (result i32)
    (table.set $scratch (i32.const 0) (local.get 0))
    (call_indirect $scratch (type $unary) (local.get 1) (i32.const 0))))"#;

const HOLDER: &str = r#"
(module
  (table $held 4 externref)
  (global $last (export "last") (mut externref) (ref.null extern))
  (func (export "id") (param externref) (result externref) (local.get 0))
  (func (export "is_null") (param externref) (result i32) (ref.is_null (local.get 0)))
  (func (export "set") (param i32 externref)
    (global.set $last (local.get 1))
    (table.set $held (local.get 0) (local.get 1)))
  (func (export "get") (param i32) (result externref) (table.get $held (local.get 0))))"#;

#[track_caller]
fn one(guest: &mut dyn WasmInstance, name: &str, args: &[Value]) -> Value {
    let results = guest.call(name, args).unwrap();
    assert_eq!(results.len(), 1);
    results[0]
}

#[test]
fn a_function_has_the_same_number_each_time_and_another_function_another() {
    on_each(|engine| {
        let mut guest = engine.start(FUNCTIONS);
        let double = one(guest.as_mut(), "get_double", &[]);
        let negate = one(guest.as_mut(), "get_negate", &[]);
        assert!(matches!(double, FuncRef(Some(_))), "{double:?}");
        assert_ne!(double, negate);
        assert_eq!(one(guest.as_mut(), "get_double", &[]), double);
        assert_eq!(guest.call("get_both", &[]).unwrap(), [double, I32(1), negate]);
        assert_eq!(guest.global("first").unwrap(), double, "a global gives the same number");
    });
}

#[test]
fn a_returned_function_can_be_passed_in_and_called() {
    on_each(|engine| {
        let mut guest = engine.start(FUNCTIONS);
        let double = one(guest.as_mut(), "get_double", &[]);
        let negate = one(guest.as_mut(), "get_negate", &[]);
        assert_eq!(one(guest.as_mut(), "id", &[double]), double);
        assert_eq!(one(guest.as_mut(), "apply", &[double, I32(21)]), I32(42));
        assert_eq!(one(guest.as_mut(), "apply", &[negate, I32(21)]), I32(-21));
        assert_eq!(one(guest.as_mut(), "is_null", &[double]), I32(0));
    });
}

#[test]
fn a_null_function_is_null_on_both_sides() {
    on_each(|engine| {
        let mut guest = engine.start(FUNCTIONS);
        assert_eq!(one(guest.as_mut(), "get_null", &[]), FuncRef(None));
        assert_eq!(one(guest.as_mut(), "id", &[FuncRef(None)]), FuncRef(None));
        assert_eq!(one(guest.as_mut(), "is_null", &[FuncRef(None)]), I32(1));
    });
}

#[test]
fn a_number_that_names_no_function_is_refused() {
    on_each(|engine| {
        let mut guest = engine.start(FUNCTIONS);
        let error = refused(guest.call("id", &[FuncRef(Some(0))]), ErrorKind::InvalidArgument);
        assert_contains(error.message(), &["funcref 0"]);
        assert_eq!(one(guest.as_mut(), "get_null", &[]), FuncRef(None), "it still takes calls");
    });
}

#[test]
fn a_function_passed_to_the_host_has_the_same_number_outside() {
    let wat = r#"
        (module
          (import "host" "see" (func $see (param funcref) (result funcref)))
          (elem declare func $f $g)
          (func $f (export "f")) (func $g (export "g"))
          (func (export "get_g") (result funcref) (ref.func $g))
          (func (export "show_f") (result funcref) (call $see (ref.func $f)))
          (func (export "show_g") (result funcref) (call $see (ref.func $g)))
          (func (export "id") (param funcref) (result funcref) (local.get 0)))"#;
    on_each(|engine| {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        let ty = FuncType::new([ValType::FuncRef], [ValType::FuncRef]);
        let imports = HostImports::none().with_function("host", "see", ty, move |_, args| {
            log.lock().unwrap().push(args[0]);
            Ok(args.to_vec())
        });
        let mut guest = engine.start_importing(&imports, wat).unwrap();
        let g = one(guest.as_mut(), "get_g", &[]);
        let f = one(guest.as_mut(), "show_f", &[]);
        assert_eq!(one(guest.as_mut(), "show_g", &[]), g);
        assert_eq!(*seen.lock().unwrap(), [f, g], "the host sees the numbers the embedder sees");
        assert_ne!(f, g);
        assert_eq!(one(guest.as_mut(), "id", &[f]), f);
    });
}

#[test]
fn host_references_pass_through_the_guest() {
    on_each(|engine| {
        let mut guest = engine.start(HOLDER);
        for number in [0, 1, 42, u64::MAX] {
            let value = ExternRef(Some(number));
            assert_eq!(one(guest.as_mut(), "id", &[value]), value);
            assert_eq!(one(guest.as_mut(), "is_null", &[value]), I32(0));
        }
        assert_eq!(one(guest.as_mut(), "id", &[ExternRef(None)]), ExternRef(None));
        assert_eq!(one(guest.as_mut(), "is_null", &[ExternRef(None)]), I32(1));
    });
}

#[test]
fn tables_and_globals_keep_host_references_between_calls() {
    on_each(|engine| {
        let mut guest = engine.start(HOLDER);
        for at in 0..4 {
            guest.call("set", &[I32(at), ExternRef(Some(u64::try_from(at).unwrap() + 100))]).unwrap();
        }
        for at in 0..4 {
            let expected = ExternRef(Some(u64::try_from(at).unwrap() + 100));
            assert_eq!(one(guest.as_mut(), "get", &[I32(at)]), expected);
        }
        assert_eq!(guest.global("last").unwrap(), ExternRef(Some(103)));
        guest.call("set", &[I32(2), ExternRef(None)]).unwrap();
        assert_eq!(one(guest.as_mut(), "get", &[I32(2)]), ExternRef(None));
    });
}

#[test]
fn references_that_are_dropped_make_room_for_others() {
    on_each(|engine| {
        let mut guest = engine.start(HOLDER);
        let mut id = guest.function("id").unwrap();
        let mut results = [ExternRef(None)];
        for number in 0..50_000 {
            id.call(guest.as_mut(), &[ExternRef(Some(number))], &mut results).unwrap();
            assert_eq!(results, [ExternRef(Some(number))]);
        }
        assert!(guest.memory_peak_bytes() <= 1 << 20, "{} bytes", guest.memory_peak_bytes());
    });
}

#[test]
fn wasmer_refuses_functions_to_the_host_under_a_memory_limit() {
    let wat = r#"(module (import "host" "see" (func $see (param funcref))) (func $f) (elem declare func $f)
      (func (export "show") (result i32) (call $see (ref.func $f)) (i32.const 7)))"#;
    on_each(|engine| {
        let ty = FuncType::new([ValType::FuncRef], []);
        let imports = HostImports::none().with_function("host", "see", ty, |_, _| Ok(Vec::new()));
        assert_eq!(engine.start_importing(&imports, wat).unwrap().call_simple_function("show", &[]).unwrap(), 7);
        let limited = engine.start_importing_within(Limits::none().with_memory(PAGE), &imports, wat);
        if engine.kind == RuntimeKind::Wasmer {
            let error = refused(limited, ErrorKind::UnsupportedFeature);
            assert_contains(error.message(), &["functions to the host", "memory limit"]);
        } else {
            assert_eq!(limited.unwrap().call_simple_function("show", &[]).unwrap(), 7);
        }
    });
}
