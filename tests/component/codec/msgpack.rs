//! MessagePack where it differs from JSON: bytes are binary data, floats keep their bits, and numbers have a width.

use wrun::component::encode::TypedResult;
use wrun::component::msgpack;
use wrun::{WitType, WitValue};

use super::{enumeration, function, list, map, option, record, refuses, result, to_msgpack, tuple, variant};

#[track_caller]
fn is_msgpack(ty: &WitType, document: &[u8], value: impl Into<WitValue>) {
    let value = value.into();
    assert_eq!(to_msgpack(&value, ty), document);
    assert_eq!(msgpack::decode(document, ty).unwrap(), value);
}

#[test]
fn values_have_the_shape_of_json() {
    is_msgpack(&WitType::Bool, &[0xc3], true);
    is_msgpack(&WitType::U64, &[0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], u64::MAX);
    is_msgpack(&WitType::S8, &[0xff], -1i8);
    is_msgpack(&WitType::Char, &[0xa1, b'x'], 'x');
    is_msgpack(&list(WitType::U32), &[0x92, 1, 2], WitValue::list([1u32, 2]));
    is_msgpack(&tuple([WitType::Bool]), &[0x91, 0xc2], WitValue::Tuple(vec![false.into()]));
    is_msgpack(&record([("a", WitType::U8)]), &[0x81, 0xa1, b'a', 5], WitValue::record([("a", 5u8.into())]));
    is_msgpack(&option(WitType::U8), &[0xc0], None::<u8>);
    is_msgpack(&option(option(WitType::U8)), &[0x81, 0xa4, b's', b'o', b'm', b'e', 0xc0], Some(None::<u8>));
    is_msgpack(&result(Some(WitType::U8), None), &[0x81, 0xa2, b'o', b'k', 5], WitValue::ok(Some(5u8.into())));
    is_msgpack(&result(Some(WitType::U8), None), &[0xa3, b'e', b'r', b'r'], WitValue::err(None));
    is_msgpack(&enumeration(["red"]), &[0xa3, b'r', b'e', b'd'], WitValue::Enum("red".into()));
    let shape = variant([("dot", None), ("c", Some(WitType::U8))]);
    is_msgpack(&shape, &[0x81, 0xa1, b'c', 5], WitValue::variant("c", Some(5u8.into())));
    let ages = map(WitType::String, WitType::U8);
    is_msgpack(&ages, &[0x81, 0xa1, b'a', 5], WitValue::Map(vec![("a".into(), 5u8.into())]));
    let pairs = map(WitType::U8, WitType::U8);
    is_msgpack(&pairs, &[0x91, 0x92, 1, 2], WitValue::Map(vec![(1u8.into(), 2u8.into())]));
    assert_eq!(msgpack::encode_result(TypedResult::new(None, None)).unwrap(), [0xc0]);
}

#[test]
fn bytes_are_binary_data() {
    let bytes = list(WitType::U8);
    is_msgpack(&bytes, &[0xc4, 2, 0, 255], vec![0u8, 255]);
    let others: [&[u8]; 3] = [
        &[0x92, 0, 0xcc, 255],
        &[0xa1, b'x'],
        &[0x81, 0xa6, b'b', b'a', b's', b'e', b'6', b'4', 0xa4, b'A', b'A', b'=', b'='],
    ];
    let values: [&[u8]; 3] = [&[0, 255], b"x", &[0]];
    for (document, value) in others.iter().zip(values) {
        assert_eq!(msgpack::decode(document, &bytes).unwrap(), value.into());
    }
    refuses(msgpack::decode(&[0xc4, 1, 0], &WitType::String), "expected a string, found binary data");
}

#[test]
fn floats_keep_their_bits() {
    let signalling = f32::from_bits(0x7f80_0001);
    is_msgpack(&WitType::F32, &[0xca, 0x7f, 0x80, 0, 1], signalling);
    is_msgpack(&WitType::F64, &[0xcb, 0x80, 0, 0, 0, 0, 0, 0, 0], -0.0);
    let read = |document: &[u8], ty| msgpack::decode(document, &ty);
    assert_eq!(read(&[0xcb, 0x3f, 0xb9, 0x99, 0x99, 0x99, 0x99, 0x99, 0x9a], WitType::F32).unwrap(), 0.1f32.into());
    assert_eq!(read(&[0xca, 0x3f, 0x80, 0, 0], WitType::F64).unwrap(), 1.0.into());
    assert_eq!(read(&[5], WitType::F32).unwrap(), 5f32.into());
    let huge = [0xcb, 0x7f, 0xef, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    refuses(read(&huge, WitType::F32), "1.7976931348623157e308 is out of range for f32");
    refuses(read(&[0xca, 0x3f, 0x80, 0, 0], WitType::U8), "expected an integer (u8), found a float");
}

#[test]
fn other_kinds_are_refused() {
    let read = |document: &[u8], ty| msgpack::decode(document, &ty);
    refuses(read(&[0xcd, 1, 44], WitType::U8), "300 is out of range for u8 (0 to 255)");
    refuses(read(&[0xd4, 1, 0], WitType::U8), "expected an integer (u8), found an extension type");
    refuses(read(&[0xc0], WitType::U8), "expected an integer (u8), found null");
    refuses(read(&[0x81, 1, 1], record([("a", WitType::U8)])), "expected the name of a field, found 1");
    refuses(read(&[0xa1, 0xff], WitType::String), "expected a string, found bytes that are not UTF-8");
}

#[test]
fn arguments_are_an_array_or_one_bare_value() {
    let one = function([("n", WitType::U32)]);
    assert_eq!(msgpack::decode_args(&[5], &one).unwrap(), [5u32.into()]);
    assert_eq!(msgpack::decode_args(&[0x91, 5], &one).unwrap(), [5u32.into()]);
    refuses(msgpack::decode_args(&[], &one), "no arguments: the input is empty");
    refuses(msgpack::decode_args(&[5, 6], &one), "1 unexpected byte after the arguments");
    refuses(msgpack::decode_args(&[0x92, 5, 6], &one), "too many arguments: 2 given, 1 parameter");
    let two = function([("a", WitType::U32), ("b", WitType::U32)]);
    refuses(msgpack::decode_args(&[5], &two), "expected a MessagePack array of 2 values");
    let numbers = function([("numbers", list(WitType::U32))]);
    assert_eq!(msgpack::decode_args(&[0x91, 0x91, 5], &numbers).unwrap(), [WitValue::list([5u32])]);
    assert_eq!(msgpack::decode_args(&[0x91, 5], &numbers).unwrap_err().hints().len(), 1);
}
