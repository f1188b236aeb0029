//! MessagePack: which bytes are taken, as what, and which are refused.

use wrun::value::msgpack;
use wrun::{ErrorKind, FuncType, ValType, Value};

use ValType::{ExternRef, F32, F64, FuncRef, I32, I64, V128};

fn decode(types: &[ValType], document: &[u8]) -> wrun::Result<Vec<Value>> {
    msgpack::decode_args(document, &FuncType::new(types, []))
}

#[track_caller]
fn takes(types: &[ValType], documents: &[(&[u8], &[Value])]) {
    for (document, values) in documents {
        let read = decode(types, document).unwrap_or_else(|error| panic!("{document:02x?}: {error}"));
        assert_eq!(read, *values, "{document:02x?}");
    }
}

#[track_caller]
fn refuses(types: &[ValType], documents: &[&[u8]]) {
    for document in documents {
        match decode(types, document) {
            Ok(values) => panic!("{document:02x?} was taken for {types:?} as {values:?}"),
            Err(error) => assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{document:02x?}"),
        }
    }
}

#[test]
fn integers_of_every_width_are_taken_in_the_signed_or_the_unsigned_range() {
    takes(
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
    takes(
        &[I64],
        &[
            (&[0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], &[Value::I64(-1)]),
            (&[0xd3, 0x80, 0, 0, 0, 0, 0, 0, 0], &[Value::I64(i64::MIN)]),
            (&[0xcf, 0, 0x20, 0, 0, 0, 0, 0, 1], &[Value::I64((1 << 53) + 1)]),
        ],
    );
}

#[test]
fn integers_out_of_range_are_refused() {
    refuses(
        &[I32],
        &[
            &[0xcf, 0, 0, 0, 1, 0, 0, 0, 0],
            &[0xd3, 0xff, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff],
            &[0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        ],
    );
}

#[test]
fn invalid_integers_are_refused() {
    for ty in [I32, I64] {
        let float32: &[u8] = &[0xca, 0x40, 0xa0, 0, 0];
        let float64: &[u8] = &[0xcb, 0x40, 0x14, 0, 0, 0, 0, 0, 0];
        let (nil, no, yes): (&[u8], &[u8], &[u8]) = (&[0xc0], &[0xc2], &[0xc3]);
        let (binary, map, extension): (&[u8], &[u8], &[u8]) = (&[0xc4, 1, 5], &[0x81, 5, 5], &[0xd4, 1, 5]);
        let (nested, never, word): (&[u8], &[u8], &[u8]) = (&[0x91, 0x91, 5], &[0xc1], &[0xa1, b'x']);
        refuses(&[ty], &[float32, float64, nil, no, yes, binary, map, extension, nested, never, word]);
    }
}

#[test]
fn floats_pass_bit_for_bit_at_their_own_width() {
    takes(
        &[F32],
        &[
            (&[0xca, 0x80, 0, 0, 0], &[Value::F32(-0.0)]),
            (&[0xca, 0x7f, 0x80, 0, 1], &[Value::F32(f32::from_bits(0x7f80_0001))]),
            (&[0xca, 0xff, 0xff, 0xff, 0xff], &[Value::F32(f32::from_bits(u32::MAX))]),
        ],
    );
    takes(
        &[F64],
        &[
            (&[0xcb, 0x80, 0, 0, 0, 0, 0, 0, 0], &[Value::F64(-0.0)]),
            (&[0xcb, 0x7f, 0xf0, 0, 0, 0, 0, 0, 1], &[Value::F64(f64::from_bits(0x7ff0_0000_0000_0001))]),
        ],
    );
}

#[test]
fn floats_of_the_other_width_and_integers_are_converted() {
    takes(
        &[F32],
        &[
            (&[0xcb, 0x3f, 0xb9, 0x99, 0x99, 0x99, 0x99, 0x99, 0x9a], &[Value::F32(0.1)]),
            (&[0xcb, 0x7f, 0xf0, 0, 0, 0, 0, 0, 0], &[Value::F32(f32::INFINITY)]),
            (&[0xcb, 0x36, 0xa0, 0, 0, 0, 0, 0, 0], &[Value::F32(f32::from_bits(1))]),
            (&[0xff], &[Value::F32(-1.0)]),
        ],
    );
    takes(
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
fn invalid_and_too_large_floats_are_refused() {
    for ty in [F32, F64] {
        refuses(&[ty], &[&[0xc0], &[0xc3], &[0xc4, 1, 5], &[0x91, 0x91, 5], &[0x80], &[0xa1, b'x']]);
    }
    let huge: &[u8] = &[0xcb, 0x7f, 0xef, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    let negative: &[u8] = &[0xcb, 0xc8, 0, 0, 0, 0, 0, 0, 0];
    refuses(&[F32], &[huge, negative]);
}

#[test]
fn vectors_are_16_bytes_the_least_significant_first() {
    let bytes: Vec<u8> = [0xc4, 16].into_iter().chain(0..16).collect();
    takes(&[V128], &[(&bytes, &[Value::V128(0x0f0e_0d0c_0b0a_0908_0706_0504_0302_0100)])]);
    let long_form: Vec<u8> = [0xc5, 0, 16].into_iter().chain(0..16).collect();
    takes(&[V128], &[(&long_form, &[Value::V128(0x0f0e_0d0c_0b0a_0908_0706_0504_0302_0100)])]);
}

#[test]
fn a_vector_needs_16_bytes() {
    for length in [0u8, 1, 15, 17] {
        let bytes: Vec<u8> = [0xc4, length].into_iter().chain(0..length).collect();
        refuses(&[V128], &[&bytes]);
    }
    let array: Vec<u8> = [0xdc, 0, 16].into_iter().chain(0..16).collect();
    let nested: Vec<u8> = [0x91].into_iter().chain(array.clone()).collect();
    refuses(&[V128], &[&[5], &[0xc0], &[0xcb, 0, 0, 0, 0, 0, 0, 0, 0], &array, &nested]);
}

#[test]
fn only_nil_is_a_reference() {
    takes(&[FuncRef], &[(&[0xc0], &[Value::FuncRef(None)]), (&[0x91, 0xc0], &[Value::FuncRef(None)])]);
    takes(&[ExternRef], &[(&[0xc0], &[Value::ExternRef(None)])]);
    let numbered: &[u8] = &[0x81, 0xa7, b'f', b'u', b'n', b'c', b'r', b'e', b'f', 0];
    refuses(&[FuncRef], &[&[0], &[0xc2], &[0xc4, 0], &[0x80], numbered, &[0x90]]);
}

#[test]
fn several_parameters_take_an_array_of_the_same_length() {
    takes(&[], &[(&[0x90], &[]), (&[0xdc, 0, 0], &[]), (&[0xdd, 0, 0, 0, 0], &[])]);
    refuses(&[], &[&[], &[0xc0], &[0x91, 0xc0], &[5], &[0x80]]);
    let both: &[Value] = &[Value::I32(1), Value::F32(0.5)];
    takes(&[I32, F32], &[(&[0x92, 1, 0xca, 0x3f, 0, 0, 0], both), (&[0xdc, 0, 2, 1, 0xca, 0x3f, 0, 0, 0], both)]);
    takes(&[I32, F32], &[(&[0xdd, 0, 0, 0, 2, 1, 0xca, 0x3f, 0, 0, 0], both)]);
    refuses(
        &[I32, F32],
        &[&[0x90], &[0x91, 1], &[0x93, 1, 2, 3], &[1], &[0x92, 1], &[0x91, 0x92, 1, 2], &[0x82, 0, 1, 1, 2]],
    );
}

#[test]
fn empty_input_and_trailing_data_are_refused() {
    let said = |types: &[ValType], document: &[u8]| decode(types, document).unwrap_err().to_string();
    assert_eq!(said(&[I32], &[]), "no arguments: the input is empty");
    assert_eq!(said(&[I32], &[5, 6]), "1 bytes follow the arguments");
    assert_eq!(said(&[I32], &[0x91, 5, 0xc0, 0xc0]), "2 bytes follow the arguments");
    assert_eq!(said(&[], &[0x90, 0x90]), "1 bytes follow the arguments");
    assert_eq!(said(&[I32, I64], &[0x91, 5]), "too few arguments: 1 given, 2 parameters; argument 2 (i64) is missing");
}

#[test]
fn a_wrong_argument_is_named_by_its_place_and_type() {
    let said = decode(&[I32, F64], &[0x92, 1, 0xc3]).unwrap_err().to_string();
    assert!(said.starts_with("argument 2 (f64): ") && said.contains("boolean"), "{said}");
    let said = decode(&[I32, F64], &[0x92, 0xcf, 0, 0, 0, 1, 0, 0, 0, 0, 1]).unwrap_err().to_string();
    assert!(said.starts_with("argument 1 (i32): ") && said.contains("out of range"), "{said}");
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
