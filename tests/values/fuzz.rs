//! Input that is nobody's value: refused or read, never a panic, and what is read is written and read again.

use proptest::collection::vec;
use proptest::prelude::*;
use wrun::value::{json, msgpack, text};
use wrun::{ErrorKind, FuncType, ValType, Value};

use crate::any::cases;

const TYPES: [ValType; 7] =
    [ValType::I32, ValType::I64, ValType::F32, ValType::F64, ValType::V128, ValType::FuncRef, ValType::ExternRef];

fn some_types() -> impl Strategy<Value = Vec<ValType>> {
    vec(proptest::sample::select(TYPES.to_vec()), 0..4)
}

/// Strings of the characters that values are made of.
fn almost_a_value() -> impl Strategy<Value = String> {
    prop_oneof![
        "[-+]?[0-9a-fx_.epn:]{0,12}",
        "[-+]?0x[0-9a-f_.]{0,20}(p[-+]?[0-9]{0,25})?",
        "[-+]?(nan|inf)[:0-9a-fx]{0,8}",
        "\\PC{0,8}"
    ]
}

/// Documents of the tokens that JSON arguments are made of.
fn almost_json() -> impl Strategy<Value = String> {
    let tokens = [
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        "null",
        "true",
        "1",
        "-1",
        "1.5",
        "1e999",
        "\"nan\"",
        "\"i32x4\"",
        "\"",
        "\\u00",
    ];
    vec(proptest::sample::select(tokens.to_vec()), 0..12).prop_map(|tokens| tokens.concat())
}

fn stays_the_same(value: Value) -> Result<(), TestCaseError> {
    prop_assert_eq!(text::parse(&text::format(&value), &value.ty()).unwrap(), value);
    Ok(())
}

proptest! {
    #![proptest_config(cases(4000))]

    #[test]
    fn text_is_read_or_refused(spelt in almost_a_value()) {
        for ty in &TYPES {
            match text::parse(&spelt, ty) {
                Ok(value) => {
                    prop_assert!(value.is(ty));
                    stays_the_same(value)?;
                }
                Err(error) => prop_assert_eq!(error.kind(), ErrorKind::InvalidArgument),
            }
        }
    }

    #[test]
    fn json_is_read_or_refused(document in almost_json(), types in some_types()) {
        match json::decode_args(document.as_bytes(), &FuncType::new(types.clone(), [])) {
            Ok(values) => {
                prop_assert_eq!(crate::any::types(&values), types);
                values.into_iter().try_for_each(stays_the_same)?;
            }
            Err(error) => prop_assert_eq!(error.kind(), ErrorKind::InvalidArgument),
        }
    }

    #[test]
    fn messagepack_is_read_or_refused(document in vec(any::<u8>(), 0..24), types in some_types()) {
        match msgpack::decode_args(&document, &FuncType::new(types.clone(), [])) {
            Ok(values) => prop_assert_eq!(crate::any::types(&values), types),
            Err(error) => prop_assert_eq!(error.kind(), ErrorKind::InvalidArgument),
        }
    }

    #[test]
    fn messagepack_of_one_value_is_read_or_refused(document in vec(any::<u8>(), 1..20)) {
        for ty in &TYPES {
            match msgpack::decode_args(&document, &FuncType::new([ty.clone()], [])) {
                Ok(values) => prop_assert!(values.len() == 1 && values[0].is(ty)),
                Err(error) => prop_assert_eq!(error.kind(), ErrorKind::InvalidArgument),
            }
        }
    }
}

#[test]
fn deep_nesting_is_refused_and_does_not_use_up_the_stack() {
    let ty = FuncType::new([ValType::I32], []);
    let nested = "[".repeat(100_000);
    assert_eq!(json::decode_args(nested.as_bytes(), &ty).unwrap_err().kind(), ErrorKind::InvalidArgument);
    let closed = format!("{nested}{}", "]".repeat(100_000));
    assert_eq!(json::decode_args(closed.as_bytes(), &ty).unwrap_err().kind(), ErrorKind::InvalidArgument);
    let arrays = vec![0x91; 100_000];
    assert_eq!(msgpack::decode_args(&arrays, &ty).unwrap_err().kind(), ErrorKind::InvalidArgument);
}

#[test]
fn a_length_nobody_sent_is_refused_and_takes_no_memory() {
    let ty = FuncType::new([ValType::I32], []);
    for head in [[0xdd, 0xff, 0xff, 0xff, 0xff], [0xdb, 0xff, 0xff, 0xff, 0xff], [0xc6, 0xff, 0xff, 0xff, 0xff]] {
        assert_eq!(msgpack::decode_args(&head, &ty).unwrap_err().kind(), ErrorKind::InvalidArgument);
    }
}
