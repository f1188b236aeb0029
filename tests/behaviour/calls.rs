//! Calls by name, with values, `i32`s, JSON, MessagePack and Rust types; and unknown names.

use wrun::{ErrorKind, FuncType, ValType, Value, WasmInstanceExt};

use crate::vocabulary::{assert_contains, hints, on_each, refused};
use Value::{F32, F64, I32, I64};

const ARITHMETIC: &str = r#"
(module
  (global $calls (export "calls") (mut i32) (i32.const 0))
  (memory (export "memory") 1)
  (func $count (global.set $calls (i32.add (global.get $calls) (i32.const 1))))
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "seven") (result i32) (i32.const 7))
  (func (export "long") (param i32) (result i64) (call $count) (i64.extend_i32_s (local.get 0)))
  (func (export "nothing") (call $count))
  (func (export "swap") (param i32 i64) (result i64 i32) (local.get 1) (local.get 0))
  (func (export "half") (param f32) (result f32) (f32.mul (local.get 0) (f32.const 0.5)))
  (func (export "mix") (param i32 i64 f32 f64) (result f64 f32 i64 i32)
    (local.get 3) (local.get 2) (local.get 1) (local.get 0)))"#;

#[test]
fn a_call_by_name_returns_every_result_in_order() {
    on_each(|engine| {
        let mut guest = engine.start(ARITHMETIC);
        assert_eq!(guest.call("add", &[I32(5), I32(3)]).unwrap(), [I32(8)]);
        assert_eq!(guest.call("nothing", &[]).unwrap(), []);
        assert_eq!(guest.call("swap", &[I32(1), I64(-2)]).unwrap(), [I64(-2), I32(1)]);
        let mixed = guest.call("mix", &[I32(1), I64(2), F32(3.5), F64(-0.0)]).unwrap();
        assert_eq!(mixed, [F64(-0.0), F32(3.5), I64(2), I32(1)]);
    });
}

#[test]
fn a_simple_call_takes_and_returns_i32s() {
    on_each(|engine| {
        let mut guest = engine.start(ARITHMETIC);
        assert_eq!(guest.call_simple_function("add", &[5, 3]).unwrap(), 8);
        assert_eq!(guest.call_simple_function("add", &[i32::MAX, 1]).unwrap(), i32::MIN);
        assert_eq!(guest.call_simple_function("seven", &[]).unwrap(), 7);
    });
}

#[test]
fn a_simple_call_of_another_signature_is_refused_and_does_not_run() {
    on_each(|engine| {
        let mut guest = engine.start(ARITHMETIC);
        assert_contains(
            refused(guest.call_simple_function("long", &[1]), ErrorKind::InvalidArgument).message(),
            &["long"],
        );
        refused(guest.call_simple_function("nothing", &[]), ErrorKind::InvalidArgument);
        refused(guest.call_simple_function("half", &[1]), ErrorKind::InvalidArgument);
        refused(guest.call_simple_function("add", &[1]), ErrorKind::InvalidArgument);
        refused(guest.call_simple_function("add", &[1, 2, 3]), ErrorKind::InvalidArgument);
        assert_eq!(guest.global("calls").unwrap(), I32(0), "a refused call runs nothing");
    });
}

#[test]
fn arguments_that_do_not_fit_are_refused_with_the_signature() {
    on_each(|engine| {
        let mut guest = engine.start(ARITHMETIC);
        let wrong: [&[Value]; 4] = [&[], &[I32(1)], &[I32(1), I64(2)], &[I32(1), I32(2), I32(3)]];
        for args in wrong {
            let error = refused(guest.call("add", args), ErrorKind::InvalidArgument);
            assert_contains(error.message(), &["(i32, i32) -> i32"]);
            assert_eq!(error.function(), Some("add"));
        }
        assert_eq!(guest.call_simple_function("add", &[1, 2]).unwrap(), 3, "it still takes calls");
    });
}

#[test]
fn a_call_by_name_writes_its_results_into_an_exact_buffer() {
    on_each(|engine| {
        let mut guest = engine.start(ARITHMETIC);
        let mut results = [I64(7)];
        guest.call_into("add", &[I32(5), I32(3)], &mut results).unwrap();
        assert_eq!(results, [I32(8)]);
        for room in [0, 2] {
            let mut results = vec![I64(7); room];
            let error = refused(guest.call_into("add", &[I32(5), I32(3)], &mut results), ErrorKind::InvalidArgument);
            assert_contains(error.message(), &["(i32, i32) -> i32", &format!("a buffer for {room} results")]);
            assert_eq!((error.function(), results), (Some("add"), vec![I64(7); room]));
        }
        refused(guest.call_into("ad", &[I32(5), I32(3)], &mut results), ErrorKind::UnknownExport);
    });
}

#[test]
fn json_goes_in_and_comes_out() {
    on_each(|engine| {
        let mut guest = engine.start(ARITHMETIC);
        assert_eq!(guest.call_json("add", "[5, 3]").unwrap(), "8");
        assert_eq!(guest.call_json("nothing", "[]").unwrap(), "null");
        assert_eq!(guest.call_json("half", "3").unwrap(), "1.5", "a bare value for one parameter");
        assert_eq!(guest.call_json("half", "[\"-inf\"]").unwrap(), "\"-inf\"");
        assert_eq!(guest.call_json("swap", "[1, 9223372036854775807]").unwrap(), "[9223372036854775807,1]");
        assert_eq!(guest.call_json("mix", r#"["0x10", -1, 0.1, "nan"]"#).unwrap(), r#"["nan",0.1,-1,16]"#);
    });
}

#[test]
fn json_that_does_not_fit_is_refused_and_names_the_argument() {
    on_each(|engine| {
        let mut guest = engine.start(ARITHMETIC);
        let error = refused(guest.call_json("add", "[5, 3.5]"), ErrorKind::InvalidArgument);
        assert_contains(error.message(), &["argument 2 (i32)", "3.5"]);
        let error = refused(guest.call_json("add", "[5]"), ErrorKind::InvalidArgument);
        assert_contains(error.message(), &["too few", "argument 2 (i32) is missing"]);
        refused(guest.call_json("add", "5"), ErrorKind::InvalidArgument);
        refused(guest.call_json("add", ""), ErrorKind::InvalidArgument);
        refused(guest.call_json("add", "[5, 3] 1"), ErrorKind::InvalidArgument);
        refused(guest.call_json("ad", "[5, 3]"), ErrorKind::UnknownExport);
    });
}

#[test]
fn messagepack_goes_in_and_comes_out() {
    on_each(|engine| {
        let mut guest = engine.start(ARITHMETIC);
        assert_eq!(guest.call_msgpack("add", &[0x92, 5, 3]).unwrap(), [8]);
        assert_eq!(guest.call_msgpack("nothing", &[0x90]).unwrap(), [0xc0]);
        assert_eq!(guest.call_msgpack("half", &[0xca, 0x40, 0x40, 0, 0]).unwrap(), [0xca, 0x3f, 0xc0, 0, 0]);
        assert_eq!(guest.call_msgpack("swap", &[0x92, 1, 0xff]).unwrap(), [0x92, 0xff, 1]);
    });
}

#[test]
fn messagepack_that_does_not_fit_is_refused() {
    on_each(|engine| {
        let mut guest = engine.start(ARITHMETIC);
        let wrong: [&[u8]; 6] = [&[], &[0x91, 5], &[0x93, 5, 3, 1], &[0x92, 5], &[0x92, 5, 3, 1], &[0x92, 5, 0xc3]];
        for args in wrong {
            refused(guest.call_msgpack("add", args), ErrorKind::InvalidArgument);
        }
        refused(guest.call_msgpack("ad", &[0x92, 5, 3]), ErrorKind::UnknownExport);
    });
}

#[test]
fn typed_calls_take_and_return_rust_values() {
    on_each(|engine| {
        let mut guest = engine.start(ARITHMETIC);
        assert_eq!(guest.call_typed::<(i32, i32), i32>("add", (5, 3)).unwrap(), 8);
        assert_eq!(guest.call_typed::<(u32, u32), u32>("add", (u32::MAX, 0)).unwrap(), u32::MAX);
        guest.call_typed::<(), ()>("nothing", ()).unwrap();
        assert_eq!(guest.call_typed::<(), i32>("seven", ()).unwrap(), 7);
        assert_eq!(guest.call_typed::<f32, f32>("half", 3.0).unwrap().to_bits(), 1.5f32.to_bits());
        assert_eq!(guest.call_typed::<(i32, u64), (u64, i32)>("swap", (1, u64::MAX)).unwrap(), (u64::MAX, 1));
    });
}

#[test]
fn typed_calls_of_another_signature_are_refused_and_do_not_run() {
    on_each(|engine| {
        let mut guest = engine.start(ARITHMETIC);
        let error = refused(guest.call_typed::<(i32, i64), i32>("add", (5, 3)), ErrorKind::InvalidArgument);
        assert_contains(error.message(), &["add", "(i32, i32) -> i32", "(i32, i64) -> i32"]);
        refused(guest.call_typed::<(i32, i32), ()>("add", (5, 3)), ErrorKind::InvalidArgument);
        refused(guest.call_typed::<i32, i32>("add", 5), ErrorKind::InvalidArgument);
        refused(guest.call_typed::<(), i32>("nothing", ()), ErrorKind::InvalidArgument);
        refused(guest.call_typed::<(), i32>("sevn", ()), ErrorKind::UnknownExport);
        assert_eq!(guest.global("calls").unwrap(), I32(0), "a refused call runs nothing");
    });
}

#[test]
fn an_unknown_export_is_refused_with_the_nearest_name_and_the_list() {
    on_each(|engine| {
        let mut guest = engine.start(ARITHMETIC);
        let error = refused(guest.call("swpa", &[]), ErrorKind::UnknownExport);
        assert_contains(error.message(), &["no function `swpa`"]);
        assert_contains(
            &hints(&error),
            &["did you mean `swap`?", "add(i32, i32) -> i32", "swap(i32, i64) -> (i64, i32)"],
        );
    });
}

#[test]
fn an_unlike_name_gets_no_suggestion() {
    on_each(|engine| {
        let mut guest = engine.start(ARITHMETIC);
        let error = refused(guest.call("qqqqqq", &[]), ErrorKind::UnknownExport);
        assert!(!hints(&error).contains("did you mean"), "{}", hints(&error));
        assert_contains(&hints(&error), &["exported functions:"]);
        let error = refused(engine.start("(module)").call("f", &[]), ErrorKind::UnknownExport);
        assert_contains(&hints(&error), &["exports no functions"]);
    });
}

#[test]
fn an_export_of_another_kind_is_refused_by_its_kind() {
    on_each(|engine| {
        let mut guest = engine.start(ARITHMETIC);
        let error = refused(guest.call("memory", &[]), ErrorKind::UnknownExport);
        assert_contains(error.message(), &["`memory` is a memory, not a function"]);
        let error = refused(guest.function("calls"), ErrorKind::UnknownExport);
        assert_contains(error.message(), &["`calls` is a global, not a function"]);
        assert_contains(
            refused(guest.global("add"), ErrorKind::UnknownExport).message(),
            &["`add` is a func, not a global"],
        );
        assert_contains(
            refused(guest.memory_size("add"), ErrorKind::UnknownExport).message(),
            &["`add` is a func, not a memory"],
        );
        refused(guest.global("nowhere"), ErrorKind::UnknownExport);
    });
}

#[test]
fn a_resolved_function_knows_its_type() {
    on_each(|engine| {
        let function = engine.start(ARITHMETIC).function("swap").unwrap();
        assert_eq!(*function.ty(), FuncType::new([ValType::I32, ValType::I64], [ValType::I64, ValType::I32]));
    });
}
