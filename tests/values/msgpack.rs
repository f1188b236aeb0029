//! MessagePack: which bytes are decoded to which values, and which are rejected.

use wrun::value::msgpack;
use wrun::{ErrorKind, FuncType, ValType, Value};

use ValType::{ExternRef, F32, F64, FuncRef, I32, I64, V128};

fn decode(types: &[ValType], document: &[u8]) -> wrun::Result<Vec<Value>> {
    msgpack::decode_args(document, &FuncType::new(types, []))
}

#[track_caller]
fn accepts(types: &[ValType], documents: &[(&[u8], &[Value])]) {
    for (document, values) in documents {
        let read = decode(types, document).unwrap_or_else(|error| panic!("{document:02x?}: {error}"));
        assert_eq!(read, *values, "{document:02x?}");
    }
}

#[track_caller]
fn rejects(types: &[ValType], documents: &[&[u8]]) {
    for document in documents {
        match decode(types, document) {
            Ok(values) => panic!("{document:02x?} was decoded for {types:?} as {values:?}"),
            Err(error) => assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{document:02x?}"),
        }
    }
}

#[test]
fn integers_of_every_width_are_accepted_in_the_signed_or_the_unsigned_range() {
    accepts(
        &[I32],
        &[
            (&[0x05], &[Value::I32(5)]),
            (&[0xff], &[Value::I32(-1)]),
            (&[0xe0], &[Value::I32(-32)]),
            (&[0xcc, 0xff], &[Value::I32(255)]),
            (&[0xcd, 0xff, 0xff], &[Value::I32(65535)]),
            (&[0xce, 0xff, 0xff, 0xff, 0xff], &[Value::I32(-1)]),
            (&[0xcf, 0, 0, 0, 0, 0x80, 0, 0, 0], &[Value::I32(i32::MIN)]),
            (&[0xd0, 0x80], &[Value::I32(-128)]),
            (&[0xd1, 0x80, 0], &[Value::I32(-32768)]),
            (&[0xd2, 0x80, 0, 0, 0], &[Value::I32(i32::MIN)]),
            (&[0xd3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe], &[Value::I32(-2)]),
        ],
    );
    accepts(
        &[I64],
        &[
            (&[0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], &[Value::I64(-1)]),
            (&[0xd3, 0x80, 0, 0, 0, 0, 0, 0, 0], &[Value::I64(i64::MIN)]),
            (&[0xcf, 0, 0x20, 0, 0, 0, 0, 0, 1], &[Value::I64((1 << 53) + 1)]),
        ],
    );
}

#[test]
fn integers_out_of_range_are_rejected() {
    rejects(
        &[I32],
        &[
            &[0xcf, 0, 0, 0, 1, 0, 0, 0, 0],
            &[0xd3, 0xff, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff],
            &[0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        ],
    );
}

#[test]
fn other_kinds_are_not_integers() {
    for ty in [I32, I64] {
        let float32: &[u8] = &[0xca, 0x40, 0xa0, 0, 0];
        let float64: &[u8] = &[0xcb, 0x40, 0x14, 0, 0, 0, 0, 0, 0];
        let (nil, no, yes): (&[u8], &[u8], &[u8]) = (&[0xc0], &[0xc2], &[0xc3]);
        let (binary, map, extension): (&[u8], &[u8], &[u8]) = (&[0xc4, 1, 5], &[0x81, 5, 5], &[0xd4, 1, 5]);
        let (nested, never, word): (&[u8], &[u8], &[u8]) = (&[0x91, 0x91, 5], &[0xc1], &[0xa1, b'x']);
        rejects(&[ty], &[float32, float64, nil, no, yes, binary, map, extension, nested, never, word]);
    }
}

#[test]
fn floats_pass_bit_for_bit_at_their_own_width() {
    accepts(
        &[F32],
        &[
            (&[0xca, 0x80, 0, 0, 0], &[Value::F32(-0.0)]),
            (&[0xca, 0x7f, 0x80, 0, 1], &[Value::F32(f32::from_bits(0x7f80_0001))]),
            (&[0xca, 0xff, 0xff, 0xff, 0xff], &[Value::F32(f32::from_bits(u32::MAX))]),
        ],
    );
    accepts(
        &[F64],
        &[
            (&[0xcb, 0x80, 0, 0, 0, 0, 0, 0, 0], &[Value::F64(-0.0)]),
            (&[0xcb, 0x7f, 0xf0, 0, 0, 0, 0, 0, 1], &[Value::F64(f64::from_bits(0x7ff0_0000_0000_0001))]),
        ],
    );
}

#[test]
fn floats_of_the_other_width_and_integers_are_converted() {
    accepts(
        &[F32],
        &[
            (&[0xcb, 0x3f, 0xb9, 0x99, 0x99, 0x99, 0x99, 0x99, 0x9a], &[Value::F32(0.1)]),
            (&[0xcb, 0x7f, 0xf0, 0, 0, 0, 0, 0, 0], &[Value::F32(f32::INFINITY)]),
            (&[0xcb, 0x36, 0xa0, 0, 0, 0, 0, 0, 0], &[Value::F32(f32::from_bits(1))]),
            (&[0xff], &[Value::F32(-1.0)]),
        ],
    );
    accepts(
        &[F64],
        &[
            (&[0xca, 0x3d, 0xcc, 0xcc, 0xcd], &[Value::F64(f64::from(0.1f32))]),
            (&[0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], &[Value::F64(18_446_744_073_709_551_615.0)]),
        ],
    );
    assert!(
        matches!(decode(&[F32], &[0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0]).unwrap()[..], [Value::F32(v)] if v.is_nan())
    );
}

#[test]
fn other_kinds_and_doubles_too_large_for_a_single_are_not_floats() {
    for ty in [F32, F64] {
        rejects(&[ty], &[&[0xc0], &[0xc3], &[0xc4, 1, 5], &[0x91, 0x91, 5], &[0x80], &[0xa1, b'x']]);
    }
    let huge: &[u8] = &[0xcb, 0x7f, 0xef, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    let negative: &[u8] = &[0xcb, 0xc8, 0, 0, 0, 0, 0, 0, 0];
    rejects(&[F32], &[huge, negative]);
}

#[test]
fn vectors_are_16_bytes_the_least_significant_first() {
    let bytes: Vec<u8> = [0xc4, 16].into_iter().chain(0..16).collect();
    accepts(&[V128], &[(&bytes, &[Value::V128(0x0f0e_0d0c_0b0a_0908_0706_0504_0302_0100)])]);
    let long_form: Vec<u8> = [0xc5, 0, 16].into_iter().chain(0..16).collect();
    accepts(&[V128], &[(&long_form, &[Value::V128(0x0f0e_0d0c_0b0a_0908_0706_0504_0302_0100)])]);
}

#[test]
fn other_lengths_and_kinds_are_not_vectors() {
    for length in [0u8, 1, 15, 17] {
        let bytes: Vec<u8> = [0xc4, length].into_iter().chain(0..length).collect();
        rejects(&[V128], &[&bytes]);
    }
    let array: Vec<u8> = [0xdc, 0, 16].into_iter().chain(0..16).collect();
    let nested: Vec<u8> = [0x91].into_iter().chain(array.clone()).collect();
    rejects(&[V128], &[&[5], &[0xc0], &[0xcb, 0, 0, 0, 0, 0, 0, 0, 0], &array, &nested]);
}

#[test]
fn references_are_nil_only() {
    accepts(&[FuncRef], &[(&[0xc0], &[Value::FuncRef(None)]), (&[0x91, 0xc0], &[Value::FuncRef(None)])]);
    accepts(&[ExternRef], &[(&[0xc0], &[Value::ExternRef(None)])]);
    let numbered: &[u8] = &[0x81, 0xa7, b'f', b'u', b'n', b'c', b'r', b'e', b'f', 0];
    rejects(&[FuncRef], &[&[0], &[0xc2], &[0xc4, 0], &[0x80], numbered, &[0x90]]);
}

#[test]
fn several_parameters_take_an_array_of_the_same_length() {
    accepts(&[], &[(&[0x90], &[]), (&[0xdc, 0, 0], &[]), (&[0xdd, 0, 0, 0, 0], &[])]);
    rejects(&[], &[&[], &[0xc0], &[0x91, 0xc0], &[5], &[0x80]]);
    let both: &[Value] = &[Value::I32(1), Value::F32(0.5)];
    accepts(&[I32, F32], &[(&[0x92, 1, 0xca, 0x3f, 0, 0, 0], both), (&[0xdc, 0, 2, 1, 0xca, 0x3f, 0, 0, 0], both)]);
    accepts(&[I32, F32], &[(&[0xdd, 0, 0, 0, 2, 1, 0xca, 0x3f, 0, 0, 0], both)]);
    rejects(
        &[I32, F32],
        &[&[0x90], &[0x91, 1], &[0x93, 1, 2, 3], &[1], &[0x92, 1], &[0x91, 0x92, 1, 2], &[0x82, 0, 1, 1, 2]],
    );
}

#[test]
fn empty_input_and_trailing_bytes_are_rejected() {
    let message = |types: &[ValType], document: &[u8]| decode(types, document).unwrap_err().to_string();
    assert_eq!(message(&[I32], &[]), "no arguments: the input is empty");
    assert_eq!(message(&[I32], &[5, 6]), "1 unexpected byte after the arguments");
    assert_eq!(message(&[I32], &[0x91, 5, 0xc0, 0xc0]), "2 unexpected bytes after the arguments");
    assert_eq!(message(&[], &[0x90, 0x90]), "1 unexpected byte after the arguments");
    assert_eq!(
        message(&[I32, I64], &[0x91, 5]),
        "too few arguments: 1 given, 2 parameters; argument 2 (i64) is missing"
    );
}

#[test]
fn messages_name_the_argument_and_say_what_was_expected_and_found() {
    let message = |types: &[ValType], document: &[u8]| decode(types, document).unwrap_err().to_string();
    let found: [(&[u8], &str); 9] = [
        (&[0xc3], "expected an integer, found a boolean"),
        (&[0xcb, 0x40, 0x14, 0, 0, 0, 0, 0, 0], "expected an integer, found a float"),
        (&[0xc0], "expected an integer, found nil"),
        (&[0xc4, 1, 5], "expected an integer, found binary data of length 1"),
        (&[0x81, 5, 5], "expected an integer, found a map"),
        (&[0xd4, 1, 5], "expected an integer, found an extension type"),
        (&[0xa1, b'x'], "invalid i32 `x`: expected an integer such as 42, -7 or 0xff"),
        (&[0xcd, 1], "unexpected end of input"),
        (&[0xc1], "invalid MessagePack"),
    ];
    for (document, why) in found {
        assert_eq!(message(&[I32], document), format!("argument 1 (i32): {why}"));
    }
    assert_eq!(message(&[I32, F64], &[0x92, 1, 0xc3]), "argument 2 (f64): expected a number, found a boolean");
    assert_eq!(message(&[I32, F64], &[0x92, 1]), "argument 2 (f64): unexpected end of input");
    assert_eq!(message(&[V128], &[0x91, 0x90]), "argument 1 (v128): expected 16 bytes of binary data, found an array");
    assert_eq!(message(&[FuncRef], &[5]), "argument 1 (funcref): expected nil, found an integer");
    assert_eq!(message(&[I32, F64], &[5]), "expected a MessagePack array of 2 values");
    let out_of_range = message(&[I32, F64], &[0x92, 0xcf, 0, 0, 0, 1, 0, 0, 0, 0, 1]);
    assert!(out_of_range.starts_with("argument 1 (i32): `4294967296` is out of range for i32"), "{out_of_range}");
}

#[test]
fn results_are_nil_a_value_or_an_array() {
    let vector: Vec<u8> = [0xc4, 16, 1].into_iter().chain([0; 15]).collect();
    let documents: [(&[Value], &[u8]); 10] = [
        (&[], &[0xc0]),
        (&[Value::I32(5)], &[5]),
        (&[Value::I32(-1)], &[0xff]),
        (&[Value::I64(i64::MIN)], &[0xd3, 0x80, 0, 0, 0, 0, 0, 0, 0]),
        (&[Value::F32(0.5)], &[0xca, 0x3f, 0, 0, 0]),
        (&[Value::F32(f32::from_bits(0x7f80_0001))], &[0xca, 0x7f, 0x80, 0, 1]),
        (&[Value::F64(0.5)], &[0xcb, 0x3f, 0xe0, 0, 0, 0, 0, 0, 0]),
        (&[Value::V128(1)], &vector),
        (&[Value::FuncRef(None)], &[0xc0]),
        (&[Value::I32(1), Value::ExternRef(None)], &[0x92, 1, 0xc0]),
    ];
    for (values, document) in documents {
        assert_eq!(msgpack::encode_results(values), document, "{values:?}");
    }
}
