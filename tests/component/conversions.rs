//! Values of every type pass into a component and out of it unchanged.

use std::sync::Arc;

use wrun::{ErrorKind, WitValue};

use crate::vocabulary::{Engine, assert_contains, call, echo, refused, returned, text};

/// Passes values of a type through a component and asserts that each comes back.
#[track_caller]
fn passes(types: &str, ty: &str, values: &[WitValue]) {
    let mut instance = Engine::new().start(&echo(types, ty));
    let padding = WitValue::Tuple(vec![WitValue::U8(0); 17]);
    for value in values {
        let pair = WitValue::Tuple(vec![value.clone(), WitValue::U32(7)]);
        let back = returned(instance.as_mut(), "echo", &[pair.clone(), padding.clone()]);
        assert_eq!(back, pair, "{ty}");
        assert_eq!(format!("{back:?}"), format!("{pair:?}"), "{ty}: another kind of value");
    }
}

fn name(name: &str) -> Arc<str> {
    name.into()
}

fn some(value: WitValue) -> WitValue {
    WitValue::Option(Some(Box::new(value)))
}

const NONE: WitValue = WitValue::Option(None);

#[test]
fn numbers_pass() {
    passes("", "bool", &[WitValue::Bool(true), WitValue::Bool(false)]);
    passes("", "s8", &[i8::MIN, -1, 0, i8::MAX].map(WitValue::S8));
    passes("", "u8", &[0, 1, u8::MAX].map(WitValue::U8));
    passes("", "s16", &[i16::MIN, -1, 0, i16::MAX].map(WitValue::S16));
    passes("", "u16", &[0, 1, u16::MAX].map(WitValue::U16));
    passes("", "s32", &[i32::MIN, -1, 0, i32::MAX].map(WitValue::S32));
    passes("", "u32", &[0, 1, u32::MAX].map(WitValue::U32));
    passes("", "s64", &[i64::MIN, -1, 0, i64::MAX].map(WitValue::S64));
    passes("", "u64", &[0, 1, u64::MAX].map(WitValue::U64));
}

#[test]
fn floats_pass_bit_by_bit_except_for_nans() {
    let floats = [0.0, -0.0, 1.5, f32::MIN_POSITIVE, f32::from_bits(1), f32::INFINITY, f32::NEG_INFINITY];
    passes("", "f32", &floats.map(WitValue::F32));
    let floats = [0.0, -0.0, 1.5, f64::MIN_POSITIVE, f64::from_bits(1), f64::INFINITY, f64::NEG_INFINITY];
    passes("", "f64", &floats.map(WitValue::F64));
    passes("", "f64", &[WitValue::F64(f64::from_bits(0x7ff8_0000_0000_0000))]);
}

#[test]
fn characters_and_strings_pass() {
    passes("", "char", &['a', '\0', 'ä', '\u{10ffff}'].map(WitValue::Char));
    passes("", "string", &["", "bob", "Zoë — 漢字 🦀", "a\0b", &"x".repeat(100_000)].map(text));
}

#[test]
fn lists_pass() {
    passes("", "(list u8)", &[WitValue::Bytes(Vec::new()), WitValue::Bytes((0..=255).collect())]);
    passes("", "(list string)", &[WitValue::List(Vec::new()), WitValue::List(vec![text("a"), text("")])]);
    let nested = WitValue::List(vec![WitValue::List(vec![WitValue::U64(1)]), WitValue::List(Vec::new())]);
    passes("", "(list (list u64))", &[nested]);
    passes("", "(list u16 3)", &[WitValue::List([1, 2, 3].map(WitValue::U16).to_vec())]);
    passes(
        "",
        "(map string u32)",
        &[WitValue::Map(vec![(text("a"), WitValue::U32(1)), (text("b"), WitValue::U32(2))])],
    );
}

#[test]
fn a_list_of_bytes_may_be_given_as_numbers() {
    let mut instance = Engine::new().start(&echo("", "(list u8)"));
    let padding = WitValue::Tuple(vec![WitValue::U8(0); 17]);
    let numbers = WitValue::List([1, 2].map(WitValue::U8).to_vec());
    let back = returned(instance.as_mut(), "echo", &[WitValue::Tuple(vec![numbers, WitValue::U32(7)]), padding]);
    assert_eq!(format!("{back:?}"), "Tuple([Bytes([1, 2]), U32(7)])");
}

#[test]
fn records_and_tuples_pass() {
    let types = r#"(type $item' (record (field "name" string) (field "price" f64) (field "tags" (list string))))
        (export $item "item" (type $item'))"#;
    let item = WitValue::Record(vec![
        (name("name"), text("tea")),
        (name("price"), WitValue::F64(1.5)),
        (name("tags"), WitValue::List(vec![text("hot")])),
    ]);
    passes(types, "$item", std::slice::from_ref(&item));
    passes(types, "(list $item)", &[WitValue::List(vec![item.clone(), item])]);
    passes("", "(tuple u8 string)", &[WitValue::Tuple(vec![WitValue::U8(1), text("x")])]);
}

#[test]
fn variants_enums_and_flags_pass() {
    let types = r#"(type $shape' (variant (case "point") (case "circle" f32) (case "label" string)))
        (export $shape "shape" (type $shape'))"#;
    let values = [
        WitValue::Variant(name("point"), None),
        WitValue::Variant(name("circle"), Some(Box::new(WitValue::F32(2.0)))),
        WitValue::Variant(name("label"), Some(Box::new(text("x")))),
    ];
    passes(types, "$shape", &values);

    let types = r#"(type $color' (enum "red" "green")) (export $color "color" (type $color'))"#;
    passes(types, "$color", &["red", "green"].map(|case| WitValue::Enum(name(case))));

    let types = r#"(type $rights' (flags "read" "write" "run")) (export $rights "rights" (type $rights'))"#;
    let flags = |names: &[&str]| WitValue::Flags(names.iter().copied().map(name).collect());
    passes(types, "$rights", &[flags(&[]), flags(&["write"]), flags(&["read", "write", "run"])]);
}

#[test]
fn options_and_results_pass() {
    passes("", "(option u32)", &[NONE, some(WitValue::U32(1))]);
    passes("", "(option (option string))", &[NONE, some(NONE), some(some(text("x")))]);
    let ok = |value| WitValue::Result(Ok(value));
    let err = |value| WitValue::Result(Err(value));
    passes("", "(result)", &[ok(None), err(None)]);
    passes("", "(result u8 (error string))", &[ok(Some(Box::new(WitValue::U8(1)))), err(Some(Box::new(text("no"))))]);
    passes("", "(result (error string))", &[ok(None), err(Some(Box::new(text("no"))))]);
}

#[test]
fn values_of_another_type_are_refused_before_the_guest_runs() {
    let types = r#"(type $item' (record (field "name" string) (field "qty" u32))) (export $item "item" (type $item'))"#;
    let mut instance = Engine::new().start(&echo(types, "$item"));
    let padding = WitValue::Tuple(vec![WitValue::U8(0); 17]);
    let wrong = [
        WitValue::U32(1),
        WitValue::Record(vec![(name("name"), text("tea"))]),
        WitValue::Record(vec![(name("qty"), WitValue::U32(1)), (name("name"), text("tea"))]),
        WitValue::Record(vec![(name("name"), text("tea")), (name("qty"), WitValue::S32(1))]),
    ];
    for wrong in wrong {
        let args = [WitValue::Tuple(vec![wrong, WitValue::U32(7)]), padding.clone()];
        let error = refused(call(instance.as_mut(), "echo", &args), ErrorKind::InvalidArgument);
        assert_contains(error.message(), &["pair[0]"]);
    }
    let error = refused(call(instance.as_mut(), "echo", &[]), ErrorKind::InvalidArgument);
    assert_contains(error.message(), &["too few arguments", "pair"]);
    let right = WitValue::Record(vec![(name("name"), text("tea")), (name("qty"), WitValue::U32(1))]);
    returned(instance.as_mut(), "echo", &[WitValue::Tuple(vec![right, WitValue::U32(7)]), padding]);
}
