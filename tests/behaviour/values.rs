//! Values of every type pass between host and guest bit for bit, in any number and order.

use wrun::{Feature, ValType, Value};

use crate::vocabulary::{Engine, on_each, on_each_with};
use Value::{F32, F64, I32, I64, V128};

/// A module with one function `id` that returns its arguments.
fn identity(types: &[ValType]) -> String {
    let list: Vec<_> = types.iter().map(ToString::to_string).collect();
    let list = list.join(" ");
    let gets: String = (0..types.len()).map(|at| format!("(local.get {at})")).collect();
    format!(r#"(module (func (export "id") (param {list}) (result {list}) {gets}))"#)
}

#[track_caller]
fn returns_what_it_is_given(engine: &Engine, values: &[Value]) {
    let types: Vec<_> = values.iter().map(Value::ty).collect();
    assert_eq!(engine.start(&identity(&types)).call("id", values).unwrap(), values);
}

#[test]
fn integers_keep_their_bits() {
    on_each(|engine| {
        let mut guest = engine.start(&identity(&[ValType::I32]));
        for value in [0, 1, -1, i32::MIN, i32::MAX] {
            assert_eq!(guest.call("id", &[I32(value)]).unwrap(), [I32(value)]);
        }
        let mut guest = engine.start(&identity(&[ValType::I64]));
        for value in [0, 1, -1, i64::MIN, i64::MAX, 1 << 53 | 1] {
            assert_eq!(guest.call("id", &[I64(value)]).unwrap(), [I64(value)]);
        }
    });
}

#[test]
fn floats_keep_their_bits_also_those_of_nans() {
    on_each(|engine| {
        let mut guest = engine.start(&identity(&[ValType::F32]));
        for bits in [0, 1 << 31, 1, 0x7f80_0000, 0xff80_0000, 0x7fc0_0000, 0x7f80_0001, 0xffff_ffff] {
            let value = F32(f32::from_bits(bits));
            assert_eq!(guest.call("id", &[value]).unwrap(), [value], "{bits:#x}");
        }
        let mut guest = engine.start(&identity(&[ValType::F64]));
        let infinity = 0x7ff0_0000_0000_0000;
        for bits in [0, 1 << 63, 1, infinity, infinity | 1 << 63, infinity | 1 << 51, infinity | 1, u64::MAX] {
            let value = F64(f64::from_bits(bits));
            assert_eq!(guest.call("id", &[value]).unwrap(), [value], "{bits:#x}");
        }
    });
}

#[test]
fn vectors_keep_their_bits_and_lane_0_is_the_least_significant() {
    let wat = r#"
        (module
          (func (export "id") (param v128) (result v128) (local.get 0))
          (func (export "lane") (param v128) (result i32) (i32x4.extract_lane 0 (local.get 0)))
          (func (export "mixed") (param i32 v128 f64) (result f64 v128 i32)
            (local.get 2) (local.get 1) (local.get 0)))"#;
    on_each_with(&[Feature::Simd], wat, |_, guest| {
        for value in [0, 1, u128::MAX, 0x0001_0203_0405_0607_0809_0a0b_0c0d_0e0f] {
            assert_eq!(guest.call("id", &[V128(value)]).unwrap(), [V128(value)]);
        }
        assert_eq!(guest.call("lane", &[V128(7 | 9 << 32)]).unwrap(), [I32(7)]);
        let mixed = guest.call("mixed", &[I32(-1), V128(u128::MAX - 1), F64(0.5)]).unwrap();
        assert_eq!(mixed, [F64(0.5), V128(u128::MAX - 1), I32(-1)]);
    });
}

#[test]
fn one_value_of_each_numeric_type_passes_alone() {
    on_each(|engine| {
        for value in [I32(-7), I64(-7), F32(-7.5), F64(-7.5)] {
            returns_what_it_is_given(engine, &[value]);
        }
    });
}

/// On Wasmer, signatures with up to two parameters of any types, or four of one type, have a fast path. This covers all
/// of them.
#[test]
fn every_pair_of_numeric_types_passes() {
    on_each(|engine| {
        let samples = [I32(-7), I64(1 << 40), F32(0.1), F64(0.1)];
        for first in samples {
            for second in samples {
                returns_what_it_is_given(engine, &[first, second]);
            }
        }
    });
}

#[test]
fn parameters_arrive_in_order_up_to_a_dozen() {
    on_each(|engine| {
        for count in 1..=12 {
            let gets: String =
                (0..count).map(|at| format!("(i64.const 31) (i64.mul) (local.get {at}) (i64.add)")).collect();
            let params = vec!["i64"; count].join(" ");
            let wat = format!(r#"(module (func (export "f") (param {params}) (result i64) (i64.const 0) {gets}))"#);
            let args: Vec<_> = (1..=count).map(|at| I64(i64::try_from(at).unwrap())).collect();
            let expected = (1..=count).fold(0, |sum: i64, at| sum.wrapping_mul(31) + i64::try_from(at).unwrap());
            assert_eq!(engine.start(&wat).call("f", &args).unwrap(), [I64(expected)], "{count} parameters");
        }
    });
}

#[test]
fn two_dozen_results_arrive_in_order() {
    on_each(|engine| {
        let values: Vec<_> = (0..6).flat_map(|n| [I32(n), I64(n.into()), F32(0.5), F64(f64::from(n))]).collect();
        returns_what_it_is_given(engine, &values);
    });
}

#[test]
fn exported_globals_are_read_with_their_type() {
    let wat = r#"
        (module
          (global (export "i32") (mut i32) (i32.const -5))
          (global (export "i64") i64 (i64.const 0x7fff_ffff_ffff_ffff))
          (global (export "f32") f32 (f32.const nan:0x200001))
          (global (export "f64") f64 (f64.const -0.0))
          (global (export "none") externref (ref.null extern))
          (func (export "set") (param i32) (global.set 0 (local.get 0))))"#;
    on_each(|engine| {
        let mut guest = engine.start(wat);
        assert_eq!(guest.global("i32").unwrap(), I32(-5));
        assert_eq!(guest.global("i64").unwrap(), I64(i64::MAX));
        assert_eq!(guest.global("f32").unwrap(), F32(f32::from_bits(0x7fa0_0001)));
        assert_eq!(guest.global("f64").unwrap(), F64(-0.0));
        assert_eq!(guest.global("none").unwrap(), Value::ExternRef(None));
        guest.call("set", &[I32(9)]).unwrap();
        assert_eq!(guest.global("i32").unwrap(), I32(9), "the value is read again");
    });
}

#[test]
fn values_of_types_that_do_not_pass_are_refused_by_name() {
    let wat = r#"
        (module
          (global (export "any") anyref (ref.null any))
          (func (export "take") (param anyref))
          (func (export "give") (result i31ref) (ref.null i31)))"#;
    on_each_with(&[Feature::Gc], wat, |_, guest| {
        use crate::vocabulary::{assert_contains, refused};
        use wrun::ErrorKind::UnsupportedFeature;
        assert_contains(
            refused(guest.call("take", &[]), UnsupportedFeature).message(),
            &["take(anyref)", "unsupported type"],
        );
        assert_contains(refused(guest.function("give"), UnsupportedFeature).message(), &["give", "i31ref"]);
        assert_contains(refused(guest.global("any"), UnsupportedFeature).message(), &["any", "anyref"]);
    });
}
