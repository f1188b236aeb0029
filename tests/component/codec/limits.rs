//! Hostile types and inputs: no stack overflows, and the time is linear in the input.

use std::mem::ManuallyDrop;

use wrun::component::check::{check, check_passable};
use wrun::component::encode::TypedResult;
use wrun::component::types::TypeKind;
use wrun::component::{json, msgpack, text};
use wrun::{ErrorKind, WitFunction, WitType, WitValue};

use super::{function, list, option, record, tuple, variant};

/// Nests a type. It is never dropped, since the drop of a type this deep overflows the stack of a test.
fn nested(depth: usize, wrap: impl Fn(WitType) -> WitType) -> ManuallyDrop<WitType> {
    ManuallyDrop::new((0..depth).fold(WitType::U8, |ty, _| wrap(ty)))
}

#[test]
fn types_nested_10_000_levels_are_refused() {
    let one_field = |ty| record([("a", ty)]);
    let deep = [nested(10_000, option), nested(10_000, list), nested(10_000, one_field)];
    for ty in &deep {
        let function = ManuallyDrop::new(function([("deep", WitType::clone(ty))]));
        let error = check_passable(&function).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnsupportedFeature);
        assert!(error.message().contains("nested deeper than 100 levels"), "{error}");
        for document in ["{\"some\":".repeat(10_000), "[".repeat(10_000), "{\"a\":".repeat(10_000)] {
            let error = json::decode_args(document.as_bytes(), &function).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidArgument);
            assert_eq!(text::parse(&document, ty).unwrap_err().kind(), ErrorKind::InvalidArgument);
        }
        for document in [[0x81, 0xa1, b'a'].repeat(10_000), vec![0x91; 10_000]] {
            assert_eq!(msgpack::decode(&document, ty).unwrap_err().kind(), ErrorKind::InvalidArgument);
        }
    }
    let value = ManuallyDrop::new((0..10_000).fold(WitValue::U8(0), |value, _| Some(value).into()));
    assert_eq!(check(&value, &deep[0]).unwrap_err().kind(), ErrorKind::InvalidArgument);
    let result = TypedResult::new(Some(&value), Some(&deep[0]));
    assert!(json::encode_result(result).unwrap_err().message().contains("nested deeper than 100 levels"));
    assert!(msgpack::encode_result(result).is_err());
}

#[test]
fn types_nested_as_deep_as_components_allow_are_read_and_written() {
    let ty = nested(99, option);
    let value = (0..99).fold(WitValue::U8(7), |value, _| Some(value).into());
    let result = TypedResult::new(Some(&value), Some(&ty));
    let document = json::encode_result(result).unwrap();
    assert_eq!(json::decode(document.as_bytes(), &ty).unwrap(), value);
    assert_eq!(msgpack::decode(&msgpack::encode_result(result).unwrap(), &ty).unwrap(), value);
    let ty = nested(99, list);
    let document = format!("{}7{}", "[".repeat(99), "]".repeat(99));
    let value = json::decode(document.as_bytes(), &ty).unwrap();
    check(&value, &ty).unwrap();
    check_passable(&WitFunction::new([], Some(WitType::clone(&ty)), false)).unwrap();
}

#[test]
fn deep_input_for_a_flat_type_is_refused() {
    let ty = function([("n", WitType::U8)]);
    for document in ["[".repeat(100_000), "{\"a\":".repeat(100_000), format!("[{}", "[".repeat(100_000))] {
        assert_eq!(json::decode_args(document.as_bytes(), &ty).unwrap_err().kind(), ErrorKind::InvalidArgument);
        assert!(text::parse(&document, &option(WitType::U8)).is_err());
    }
    assert!(msgpack::decode_args(&vec![0x91; 100_000], &ty).is_err());
    assert!(msgpack::decode_args(&vec![0x81; 100_000], &ty).is_err());
}

#[test]
fn a_length_beyond_the_input_is_refused_without_an_allocation() {
    let heads: [&[u8]; 4] = [
        &[0xdd, 0xff, 0xff, 0xff, 0xff],
        &[0xdb, 0xff, 0xff, 0xff, 0xff],
        &[0xc6, 0xff, 0xff, 0xff, 0xff],
        &[0xdf, 0xff, 0xff, 0xff, 0xff],
    ];
    let fixed = TypeKind::FixedLengthList(WitType::U64, u32::MAX).into();
    for ty in [list(WitType::U8), list(WitType::U64), fixed, option(list(WitType::String))] {
        for head in heads {
            assert_eq!(msgpack::decode(head, &ty).unwrap_err().kind(), ErrorKind::InvalidArgument);
        }
        assert!(json::decode(b"[1", &ty).is_err());
    }
}

/// With a search through all names for each, this takes minutes.
#[test]
fn many_names_are_found_by_an_index() {
    let names: Vec<_> = (0..10_000).map(|at| format!("case-{at}")).collect();
    let ty = list(TypeKind::Enum(names.iter().map(|name| name.as_str().into()).collect()).into());
    let document = format!("[{}]", vec!["\"case-9999\""; 200_000].join(","));
    let value = json::decode(document.as_bytes(), &ty).unwrap();
    assert_eq!(value.as_slice().unwrap().len(), 200_000);
}

/// A type of 40 nested pairs has a terabyte of text.
#[test]
fn messages_do_not_print_types_in_full() {
    let huge = (0..40).fold(WitType::U8, |ty, _| tuple([ty.clone(), ty]));
    let item = record([("huge", huge.clone())]);
    let choice = variant([("huge", Some(huge.clone()))]);
    let errors = [
        json::decode(b"{}", &item).unwrap_err(),
        json::decode(b"\"huge\"", &choice).unwrap_err(),
        json::decode_args(b"[]", &function([("huge", huge.clone())])).unwrap_err(),
        check(&true.into(), &huge).unwrap_err(),
        check(&WitValue::record::<&str>([]), &item).unwrap_err(),
        check(&WitValue::variant("huge", None), &choice).unwrap_err(),
        json::encode_result(TypedResult::new(Some(&true.into()), Some(&huge))).unwrap_err(),
        text::parse("huge", &choice).unwrap_err(),
        text::parse("{:}", &item).unwrap_err(),
    ];
    for error in errors {
        assert!(error.message().len() < 500, "{error}");
        assert!(error.message().contains("tuple<tuple<tuple<"), "{error}");
    }
}
