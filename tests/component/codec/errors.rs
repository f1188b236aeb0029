//! Errors name the path into the value, and suggest names.

use wrun::component::check::{check, check_args, check_callable, check_passable};
use wrun::component::types::TypeKind;
use wrun::component::{json, msgpack, text};
use wrun::{Error, ErrorKind, WitFunction, WitType, WitValue};

use super::{
    enumeration, flags, from_json, function, list, map, option, record, refuses, resource, result, total, tuple,
    variant,
};

fn total_of(document: &str) -> Error {
    json::decode_args(document.as_bytes(), &total()).unwrap_err()
}

#[test]
fn the_path_leads_from_the_argument_to_the_part() {
    let item = |qty: &str| format!(r#"{{"name":"tea","price":1.5,"qty":{qty},"tags":[]}}"#);
    let items = [item("1"), item("2"), item("3"), item("7000000000")].join(",");
    let message = "items[3].qty: 7000000000 is out of range for u32 (0 to 4294967295)";
    assert_eq!(total_of(&format!("[[{items}]]")).to_string(), message);
    let tags = r#"[[{"name":"tea","price":1,"qty":1,"tags":["a",2]}]]"#;
    assert_eq!(total_of(tags).to_string(), "items[0].tags[1]: expected a string, found a number");
    let note = r#"[[{"name":"tea","price":1,"qty":1,"tags":[],"note":2}]]"#;
    assert_eq!(total_of(note).to_string(), "items[0].note: expected a string, found a number");
}

#[test]
fn the_path_goes_through_every_type() {
    let deep =
        record([("a", variant([("b", Some(result(Some(tuple([WitType::U8, option(option(WitType::U8))])), None)))]))]);
    let ty = map(WitType::String, deep);
    let document = r#"{"x y": {"a": {"b": {"ok": [1, {"some": true}]}}}}"#;
    let message = r#"["x y"].a.b.ok[1].some: expected an integer (u8), found true"#;
    refuses(from_json(document, &ty), message);
    let pairs = map(WitType::U8, WitType::Bool);
    refuses(from_json("[[1,true],[2,3]]", &pairs), "[1][1]: expected true or false, found a number");
    refuses(from_json("[[1,true],[-2,true]]", &pairs), "[1][0]: -2 is out of range for u8 (0 to 255)");
    refuses(from_json(r#"{"err":1}"#, &result(None, Some(WitType::String))), "err: expected a string, found a number");
}

#[test]
fn names_that_are_unknown_come_with_the_one_that_was_meant() {
    let hint = |error: &Error| error.hints().join("\n");
    let error = total_of(r#"[[{"nmae":"tea"}]]"#);
    assert_eq!(error.to_string(), "items[0]: unknown field `nmae`");
    assert_eq!(hint(&error), "did you mean `name`?");
    let error = from_json("\"gren\"", &enumeration(["red", "green"])).unwrap_err();
    assert_eq!(error.to_string(), "unknown case `gren`");
    assert_eq!(hint(&error), "did you mean `green`?");
    let error = from_json("{\"cicle\":1}", &variant([("circle", Some(WitType::F32)), ("none", None)])).unwrap_err();
    assert_eq!(hint(&error), "did you mean `circle`?");
    let error = from_json("[\"raed\"]", &flags(["read", "write"])).unwrap_err();
    assert_eq!(error.to_string(), "[0]: unknown flag `raed`");
    assert_eq!(hint(&error), "did you mean `read`?");
    let error = from_json("\"zzz\"", &enumeration(["red", "green"])).unwrap_err();
    assert_eq!(hint(&error), "the cases are red, green");
}

#[test]
fn the_number_of_arguments_counts_before_their_types() {
    let two = function([("a", WitType::U32), ("b", list(WitType::String))]);
    let message = "too few arguments: 1 given, 2 parameters; `b` (list<string>) is missing";
    refuses(json::decode_args(b"[\"x\"]", &two), message);
    refuses(json::decode_args(b"[1,[],3]", &two), "too many arguments: 3 given, 2 parameters");
    refuses(json::decode_args(b"1", &two), "expected a JSON array of 2 values");
    refuses(json::decode_args(b" ", &two), "no arguments: the input is empty");
    refuses(json::decode_args(b"[1]", &function([])), "too many arguments: 1 given, 0 parameters");
}

#[test]
fn an_array_in_place_of_arguments_comes_with_a_hint() {
    let numbers = function([("numbers", list(WitType::U32))]);
    for document in ["[1,2]", "[]", "[1]"] {
        let error = json::decode_args(document.as_bytes(), &numbers).unwrap_err();
        let hint = "the outer array holds the arguments: write [[…]] to pass an array as `numbers`";
        assert_eq!(error.hints(), [hint], "{document}: {error}");
    }
    let error = json::decode_args(b"[[true]]", &numbers).unwrap_err();
    assert_eq!(error.to_string(), "numbers[0]: expected an integer (u32), found true");
}

#[test]
fn an_array_that_would_not_fit_as_the_only_argument_comes_without_a_hint() {
    let numbers = function([("numbers", list(WitType::U32))]);
    let four = function([("v", TypeKind::FixedLengthList(WitType::U32, 4).into())]);
    let names = function([("v", map(WitType::U32, WitType::String))]);
    let json_errors = [
        (&numbers, "[[true]]"),
        (&numbers, "[[1],[2]]"),
        (&numbers, "[[1,2"),
        (&four, "[[1,2,3]]"),
        (&four, "[1,2,3]"),
        (&names, r#"[{"1":"x"}]"#),
    ];
    for (ty, document) in json_errors {
        let error = json::decode_args(document.as_bytes(), ty).unwrap_err();
        assert!(error.hints().is_empty(), "{document}: {error}: {:?}", error.hints());
    }
    // Truncated arrays of one and of 4294967295 elements, and `[[true]]`.
    for document in [&[0x91][..], &[0x91, 0x92, 1], &[0xdd, 0xff, 0xff, 0xff, 0xff], &[0x91, 0x91, 0xc3]] {
        let error = msgpack::decode_args(document, &numbers).unwrap_err();
        assert!(error.hints().is_empty(), "{document:x?}: {error}: {:?}", error.hints());
    }
}

#[test]
fn invalid_json_is_reported_with_its_place() {
    let invalid = |document: &str, reason: &str| {
        refuses(
            json::decode_args(document.as_bytes(), &total()),
            &format!("the arguments are not valid JSON: {reason}"),
        );
    };
    invalid("[[{]]", "key must be a string at line 1 column 4");
    invalid("[[]", "EOF while parsing a list at line 1 column 3");
    invalid("[[]] 5", "trailing characters at line 1 column 6");
    invalid("[true, tru", "EOF while parsing a value at line 1 column 10");
    let one = function([("n", WitType::U32)]);
    refuses(
        json::decode_args(b"5 6", &one),
        "the arguments are not valid JSON: trailing characters at line 1 column 3",
    );
    assert!(json::decode_args(b"\"\xff\"", &one).unwrap_err().message().contains("invalid utf-8"));
}

#[test]
fn messagepack_errors_have_the_same_paths() {
    let ty = function([("items", list(record([("qty", WitType::U8)])))]);
    let document = rmp_serde::to_vec(&[[std::collections::BTreeMap::from([("qty", 300)])]]).unwrap();
    refuses(msgpack::decode_args(&document, &ty), "items[0].qty: 300 is out of range for u8 (0 to 255)");
    refuses(msgpack::decode_args(&document[..5], &ty), "items: unexpected end of input");
    let more = [&document[..], &[0xc0, 0xc0]].concat();
    assert!(msgpack::decode_args(&more, &ty).is_err());
}

#[test]
fn values_of_the_library_are_checked_with_their_path() {
    let item = |qty: WitValue| WitValue::record([("name", "tea".into()), ("qty", qty)]);
    let ty = list(record([("name", WitType::String), ("qty", WitType::U32)]));
    let items = |qty| WitValue::List(vec![item(1u32.into()), item(qty)]);
    check(&items(2u32.into()), &ty).unwrap();
    refuses(check(&items(2u64.into()), &ty), "[1].qty: expected a value of type u32, found a u64");
    let args = function([("items", ty.clone())]);
    refuses(check_args(&[items("x".into())], &args), "items[1].qty: expected a value of type u32, found a string");
    refuses(
        check_args(&[], &args),
        "too few arguments: 0 given, 1 parameter; `items` (list<record { name: string, qty: u32 }>) is missing",
    );
    let short = WitValue::List(vec![WitValue::record([("name", WitValue::from("tea"))])]);
    refuses(check(&short, &ty), "[0]: the field `qty` (u32) is missing");
    let turned = WitValue::List(vec![WitValue::record([("qty", 1u32.into()), ("name", "tea".into())])]);
    refuses(check(&turned, &ty), "[0]: expected the field `name`, found `qty`");
    let shape = variant([("none", None), ("circle", Some(WitType::F64))]);
    refuses(check(&WitValue::variant("circle", None), &shape), "the case `circle` needs a payload of type f64");
    refuses(check(&WitValue::variant("none", Some(1.0.into())), &shape), "the case `none` has no payload");
    refuses(check(&WitValue::Tuple(vec![]), &tuple([WitType::U8])), "expected 1 value, found 0");
}

#[test]
fn types_that_cannot_be_written_are_refused_with_their_path() {
    let counter = || resource("counter");
    let refused = |ty: WitFunction, message: &str| {
        let error = check_passable(&ty).unwrap_err();
        assert_eq!(error.to_string(), message);
        assert_eq!(error.kind(), ErrorKind::UnsupportedFeature);
    };
    let borrow = || WitType::from(TypeKind::Borrow(counter()));
    let reason = "contains the resource `counter`, which has no text form";
    refused(function([("self", borrow())]), &format!("parameter `self` {reason}"));
    assert_eq!(
        check_passable(&function([("self", borrow())])).unwrap_err().hints(),
        ["the library can pass resources"]
    );
    refused(function([("all", list(borrow()))]), &format!("parameter `all` {reason}"));
    let nested = list(record([("inner", option(borrow()))]));
    refused(function([("n", WitType::U8), ("all", nested)]), &format!("parameter `all` {reason} (in `inner.some`)"));
    let made = WitFunction::new([], Some(result(Some(TypeKind::Own(counter()).into()), None)), false);
    refused(made.clone(), &format!("the result {reason} (in `ok`)"));
    check_callable(&made).unwrap();
    let stream = TypeKind::Stream(Some(WitType::U8)).into();
    refused(
        function([("body", stream)]),
        "parameter `body` contains the type stream<u8>, whose values cannot be passed",
    );
    let future = function([("later", TypeKind::Future(None).into())]);
    refused(future.clone(), "parameter `later` contains the type future, whose values cannot be passed");
    assert!(check_callable(&future).is_err());
    refused(
        function([("e", WitType::ErrorContext)]),
        "parameter `e` contains the type error-context, whose values cannot be passed",
    );
    check_passable(&total()).unwrap();
}

#[test]
fn values_that_cannot_be_written_are_refused_by_every_format() {
    let handle = "expected a handle (counter), which cannot be written, found";
    let counter = TypeKind::Own(resource("counter")).into();
    refuses(from_json("1", &counter), &format!("{handle} a number"));
    refuses(msgpack::decode(&[1], &counter), &format!("{handle} a number"));
    refuses(text::parse("1", &counter), &format!("{handle} a number"));
    refuses(text::parse("counter(1)", &counter), &format!("{handle} `counter(1)`"));
    let error_context = "expected an error-context, which cannot be written, found";
    refuses(from_json("1", &WitType::ErrorContext), &format!("{error_context} a number"));
    refuses(text::parse("1", &WitType::ErrorContext), &format!("{error_context} `1`"));
    let stream = TypeKind::Stream(Some(WitType::U8)).into();
    refuses(from_json("null", &stream), "expected a handle (stream<u8>), which cannot be written, found null");
}
