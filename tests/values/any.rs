//! Any value: all bit patterns, and those that break codecs often.

use proptest::prelude::*;
use proptest::test_runner::Config;
use wrun::{FuncType, ValType, Value};

/// How many cases a property has; a case that fails is printed, and belongs into the tables then, not into a file.
pub(crate) fn cases(number: u32) -> Config {
    Config { cases: number, failure_persistence: None, ..Config::default() }
}

pub(crate) fn any_i32() -> impl Strategy<Value = i32> {
    prop_oneof![any::<i32>(), Just(i32::MIN), Just(i32::MAX), -200..200]
}

pub(crate) fn any_i64() -> impl Strategy<Value = i64> {
    let exact = [i64::MIN, i64::MAX, (1 << 53) + 1, -(1 << 53) - 1, i64::MIN + 1, u32::MAX.into()];
    prop_oneof![any::<i64>(), proptest::sample::select(exact.to_vec()), -200..200i64]
}

/// Every bit pattern, with zeros, subnormals, infinities and NaNs, quiet and signalling, more often than chance.
pub(crate) fn any_f32() -> impl Strategy<Value = f32> {
    let signed = |bits: u32, negative: bool| f32::from_bits(bits | u32::from(negative) << 31);
    let special = prop_oneof![
        Just(0),
        1..0x0080_0000u32,            // subnormal
        Just(0x7f7f_ffff),            // the largest
        Just(0x7f80_0000),            // infinity
        0x7f80_0001..0x7fc0_0000u32,  // signalling
        0x7fc0_0000..=0x7fff_ffffu32, // quiet
    ];
    prop_oneof![
        any::<u32>().prop_map(f32::from_bits),
        (special, any::<bool>()).prop_map(move |(bits, negative)| signed(bits, negative)),
        (-1000..1000i16).prop_map(f32::from),
    ]
}

/// The same at twice the width.
pub(crate) fn any_f64() -> impl Strategy<Value = f64> {
    let signed = |bits: u64, negative: bool| f64::from_bits(bits | u64::from(negative) << 63);
    let special = prop_oneof![
        Just(0),
        1..0x0010_0000_0000_0000u64,
        Just(0x7fef_ffff_ffff_ffff),
        Just(0x7ff0_0000_0000_0000),
        0x7ff0_0000_0000_0001..0x7ff8_0000_0000_0000u64,
        0x7ff8_0000_0000_0000..=0x7fff_ffff_ffff_ffffu64,
    ];
    prop_oneof![
        any::<u64>().prop_map(f64::from_bits),
        (special, any::<bool>()).prop_map(move |(bits, negative)| signed(bits, negative)),
        (-1000..1000i16).prop_map(f64::from),
        any_f32().prop_map(f64::from),
    ]
}

pub(crate) fn any_v128() -> impl Strategy<Value = u128> {
    prop_oneof![any::<u128>(), Just(0), Just(u128::MAX), any::<u8>().prop_map(u128::from)]
}

/// Any number.
pub(crate) fn number() -> impl Strategy<Value = Value> {
    prop_oneof![
        any_i32().prop_map(Value::I32),
        any_i64().prop_map(Value::I64),
        any_f32().prop_map(Value::F32),
        any_f64().prop_map(Value::F64),
    ]
}

/// Any value that has a spelling: of the references that is null alone.
pub(crate) fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => number(),
        1 => any_v128().prop_map(Value::V128),
        1 => prop_oneof![Just(Value::FuncRef(None)), Just(Value::ExternRef(None))],
    ]
}

/// The types of values.
pub(crate) fn types(values: &[Value]) -> Vec<ValType> {
    values.iter().map(Value::ty).collect()
}

/// A function that takes what these values are.
pub(crate) fn taking(values: &[Value]) -> FuncType {
    FuncType::new(types(values), [])
}
