//! Each row of the table of values, in JSON.

use wrun::component::encode::TypedResult;
use wrun::component::json;
use wrun::component::types::TypeKind;
use wrun::{WitType, WitValue};

use super::{
    alias, enumeration, flags, function, is_json, list, map, option, reads_json, record, refuses_json, result, tuple,
    variant,
};

#[test]
fn booleans() {
    is_json(&WitType::Bool, "true", true);
    is_json(&WitType::Bool, "false", false);
    refuses_json(&WitType::Bool, "1", "expected true or false, found a number");
    refuses_json(&WitType::Bool, "\"true\"", "expected true or false, found the string \"true\"");
}

#[test]
fn integers_are_exact() {
    is_json(&WitType::S8, "-128", i8::MIN);
    is_json(&WitType::U8, "255", u8::MAX);
    is_json(&WitType::S16, "-32768", i16::MIN);
    is_json(&WitType::U16, "65535", u16::MAX);
    is_json(&WitType::S32, "-2147483648", i32::MIN);
    is_json(&WitType::U32, "4294967295", u32::MAX);
    is_json(&WitType::S64, "9223372036854775807", i64::MAX);
    is_json(&WitType::S64, "-9223372036854775808", i64::MIN);
    is_json(&WitType::U64, "18446744073709551615", u64::MAX);
    is_json(&WitType::U64, "9007199254740993", (1u64 << 53) + 1);
    reads_json(&WitType::U8, "-0", 0u8);
}

#[test]
fn integers_may_be_text_in_a_string() {
    reads_json(&WitType::U64, "\"18446744073709551615\"", u64::MAX);
    reads_json(&WitType::U32, "\"0xffff_ffff\"", u32::MAX);
    reads_json(&WitType::S8, "\"-0x80\"", i8::MIN);
    refuses_json(&WitType::U8, "\"1__0\"", "invalid u8 `1__0`: expected an integer such as 42 or 0xff");
}

#[test]
fn integers_have_the_range_of_their_type() {
    refuses_json(&WitType::U8, "256", "256 is out of range for u8 (0 to 255)");
    refuses_json(&WitType::U32, "-1", "-1 is out of range for u32 (0 to 4294967295)");
    refuses_json(&WitType::S8, "\"0xff\"", "0xff is out of range for s8 (-128 to 127)");
    let message = "18446744073709551616 is out of range for u64 (0 to 18446744073709551615)";
    refuses_json(&WitType::U64, "18446744073709551616", message);
    let huge = "9".repeat(100);
    let message = format!("{huge} is out of range for s64 (-9223372036854775808 to 9223372036854775807)");
    refuses_json(&WitType::S64, &huge, &message);
}

#[test]
fn fractions_are_not_integers() {
    refuses_json(&WitType::U32, "5.0", "invalid u32 `5.0`: expected an integer such as 42 or 0xff");
    refuses_json(&WitType::S32, "1e3", "invalid s32 `1e3`: expected an integer such as 42, -7 or 0xff");
    refuses_json(&WitType::S32, "null", "expected an integer (s32), found null");
    refuses_json(&WitType::S32, "[1]", "expected an integer (s32), found an array");
}

#[test]
fn floats() {
    is_json(&WitType::F64, "1.5", 1.5);
    is_json(&WitType::F64, "-0.0", -0.0);
    is_json(&WitType::F64, "0.1", 0.1);
    is_json(&WitType::F32, "0.1", 0.1f32);
    is_json(&WitType::F64, "\"inf\"", f64::INFINITY);
    is_json(&WitType::F32, "\"-inf\"", f32::NEG_INFINITY);
    is_json(&WitType::F64, "\"nan\"", f64::NAN);
    reads_json(&WitType::F64, "-0", -0.0);
    reads_json(&WitType::F64, "5", 5.0);
    reads_json(&WitType::F64, "\"0x1.8p1\"", 3.0);
    refuses_json(&WitType::F64, "1e400", "1e400 is out of range for f64");
    refuses_json(&WitType::F32, "1e39", "1e39 is out of range for f32");
    refuses_json(&WitType::F32, "\"NaN\"", "invalid f32 `NaN`: expected a number such as 1.5, -2e3, inf or nan");
}

#[test]
fn an_f32_is_rounded_once() {
    // Rounded to an f64 first, this is a tie that goes to the even neighbour below.
    reads_json(&WitType::F32, "1.0000000596046447753906251", f32::from_bits(0x3f80_0001));
}

#[test]
fn characters_and_strings() {
    is_json(&WitType::Char, "\"ß\"", 'ß');
    is_json(&WitType::String, "\"a\\n\\\"ü\"", "a\n\"ü");
    is_json(&WitType::String, "\"\"", "");
    reads_json(&WitType::Char, "\"\\ud83d\\udc4b\"", '👋');
    refuses_json(&WitType::Char, "\"\"", "expected one character, found an empty string");
    refuses_json(&WitType::Char, "\"ab\"", "expected one character, found 2 in `ab`");
    refuses_json(&WitType::String, "5", "expected a string, found a number");
}

#[test]
fn lists_and_tuples_are_arrays() {
    is_json(&list(WitType::U32), "[1,2]", WitValue::list([1u32, 2]));
    is_json(&list(WitType::U32), "[]", WitValue::List(vec![]));
    let pair = tuple([WitType::U8, WitType::String]);
    is_json(&pair, "[1,\"a\"]", WitValue::Tuple(vec![1u8.into(), "a".into()]));
    refuses_json(&pair, "[1]", "expected an array of 2 values, found one of 1");
    refuses_json(&pair, "[1,\"a\",2,3]", "expected an array of 2 values, found one of 4");
    refuses_json(&pair, "{}", "expected an array of 2 values, found an object");
}

#[test]
fn lists_of_fixed_length() {
    let ty = TypeKind::FixedLengthList(WitType::S16, 2).into();
    is_json(&ty, "[1,-1]", WitValue::list([1i16, -1]));
    refuses_json(&ty, "[1]", "expected an array of 2 values, found one of 1");
    refuses_json(&ty, "[1,2,3]", "expected an array of 2 values, found one of 3");
}

#[test]
fn bytes() {
    let ty = list(WitType::U8);
    is_json(&ty, "{\"base64\":\"AP8=\"}", vec![0u8, 255]);
    is_json(&ty, "{\"base64\":\"\"}", Vec::<u8>::new());
    reads_json(&ty, "[0,255]", vec![0u8, 255]);
    reads_json(&ty, "[]", Vec::<u8>::new());
    reads_json(&ty, "\"hü\"", "hü".as_bytes());
    refuses_json(&ty, "[256]", "[0]: 256 is out of range for u8 (0 to 255)");
    refuses_json(&ty, "{\"base64\":\"?\"}", "base64: invalid base64: invalid symbol 63, offset 0");
    refuses_json(&ty, "{\"base46\":\"\"}", "unknown field `base46`");
    let expected = "expected an array of bytes, a string or {\"base64\": \"…\"}, found";
    refuses_json(&ty, "{}", &format!("{expected} an empty object"));
    refuses_json(&ty, "{\"base64\":\"\",\"more\":1}", &format!("{expected} an object with several keys"));
    refuses_json(&ty, "7", &format!("{expected} a number"));
}

#[test]
fn a_list_of_u8_values_is_written_as_bytes() {
    let value = WitValue::List(vec![WitValue::U8(1)]);
    assert_eq!(super::to_json(&value, &list(WitType::U8)), "{\"base64\":\"AQ==\"}");
}

#[test]
fn records_are_objects() {
    let ty = record([("name", WitType::String), ("qty", WitType::U32), ("note", option(WitType::String))]);
    let tea =
        |note: Option<&str>| WitValue::record([("name", "tea".into()), ("qty", 2u32.into()), ("note", note.into())]);
    is_json(&ty, r#"{"name":"tea","qty":2,"note":"hot"}"#, tea(Some("hot")));
    is_json(&ty, r#"{"name":"tea","qty":2,"note":null}"#, tea(None));
    reads_json(&ty, r#"{"qty":2,"name":"tea"}"#, tea(None));
    reads_json(&ty, r#"{"note":"hot","qty":2,"name":"tea"}"#, tea(Some("hot")));
    refuses_json(&ty, r#"{"name":"tea"}"#, "the field `qty` (u32) is missing");
    refuses_json(&ty, r#"{"name":"tea","qty":2,"name":"tea"}"#, "the field `name` is given twice");
    refuses_json(&ty, "[]", "expected an object with the fields name, qty, note; found an array");
}

#[test]
fn enums_and_flags_are_names() {
    is_json(&enumeration(["red", "true"]), "\"true\"", WitValue::Enum("true".into()));
    let ty = flags(["read", "write", "exec"]);
    is_json(&ty, "[\"read\",\"exec\"]", WitValue::Flags(vec!["read".into(), "exec".into()]));
    is_json(&ty, "[]", WitValue::Flags(vec![]));
    reads_json(&ty, "[\"exec\",\"read\"]", WitValue::Flags(vec!["read".into(), "exec".into()]));
    refuses_json(&ty, "[\"read\",\"read\"]", "the flag `read` is given twice");
    refuses_json(&ty, "[\"read\",1]", "[1]: expected the name of a flag, found 1");
    refuses_json(&ty, "\"read\"", "expected an array of these names: read, write, exec; found the string \"read\"");
}

#[test]
fn variants_are_a_name_or_an_object() {
    let ty = variant([("none", None), ("circle", Some(WitType::F64)), ("maybe", Some(option(WitType::U8)))]);
    is_json(&ty, "\"none\"", WitValue::variant("none", None));
    is_json(&ty, "{\"circle\":1.5}", WitValue::variant("circle", Some(1.5.into())));
    is_json(&ty, "{\"maybe\":null}", WitValue::variant("maybe", Some(WitValue::Option(None))));
    refuses_json(&ty, "\"circle\"", "the case `circle` needs a payload of type f64: {\"circle\": …}");
    refuses_json(&ty, "{\"none\":null}", "the case `none` has no payload: write \"none\"");
    refuses_json(&ty, "{\"circle\":1,\"none\":2}", &several(&ty, "an object with several keys"));
    refuses_json(&ty, "{}", &several(&ty, "an empty object"));
}

fn several(_: &WitType, found: &str) -> String {
    format!("expected one of the cases none, circle, maybe, as \"name\" or {{\"name\": payload}}; found {found}")
}

#[test]
fn options_are_null_or_the_value() {
    let ty = option(WitType::U32);
    is_json(&ty, "null", None::<u32>);
    is_json(&ty, "5", Some(5u32));
    is_json(&option(list(WitType::U32)), "[]", Some(WitValue::List(vec![])));
    refuses_json(&ty, "{\"some\":5}", "expected an integer (u32), found an object");
    refuses_json(&option(WitType::String), "5", "expected a string, found a number");
}

#[test]
fn options_of_options_name_the_inner_one() {
    for ty in [option(option(WitType::U8)), option(alias("maybe", &option(WitType::U8)))] {
        is_json(&ty, "null", None::<Option<u8>>);
        is_json(&ty, "{\"some\":null}", Some(None::<u8>));
        is_json(&ty, "{\"some\":5}", Some(Some(5u8)));
        refuses_json(&ty, "5", "expected null or {\"some\": value}, found a number");
        refuses_json(&ty, "{\"none\":5}", "unknown case `none`");
    }
    is_json(&option(option(option(WitType::U8))), "{\"some\":{\"some\":null}}", Some(Some(None::<u8>)));
}

#[test]
fn results_are_an_object_or_a_name() {
    let full = result(Some(WitType::U8), Some(WitType::String));
    is_json(&full, "{\"ok\":5}", WitValue::ok(Some(5u8.into())));
    is_json(&full, "{\"err\":\"no\"}", WitValue::err(Some("no".into())));
    let empty = result(None, None);
    is_json(&empty, "\"ok\"", WitValue::ok(None));
    is_json(&empty, "\"err\"", WitValue::err(None));
    is_json(&result(Some(option(WitType::U8)), None), "{\"ok\":null}", WitValue::ok(Some(WitValue::Option(None))));
    refuses_json(&full, "\"ok\"", "the case `ok` needs a payload of type u8: {\"ok\": …}");
    refuses_json(&empty, "{\"ok\":null}", "the case `ok` has no payload: write \"ok\"");
    refuses_json(&full, "null", "expected {\"ok\": value} or {\"err\": value}, found null");
}

#[test]
fn maps_are_an_object_or_pairs() {
    let ages = map(WitType::String, WitType::U8);
    is_json(&ages, "{\"ann\":1,\"bo\":2}", WitValue::Map(vec![("ann".into(), 1u8.into()), ("bo".into(), 2u8.into())]));
    is_json(&ages, "{}", WitValue::Map(vec![]));
    refuses_json(&ages, "{\"ann\":1,\"ann\":2}", "the key `ann` is given twice");
    let names = map(WitType::U32, WitType::String);
    is_json(&names, "[[1,\"a\"],[2,\"b\"]]", WitValue::Map(vec![(1u32.into(), "a".into()), (2u32.into(), "b".into())]));
    is_json(&names, "[]", WitValue::Map(vec![]));
    refuses_json(&names, "[[1,\"a\"],[1,\"b\"]]", "[1]: the key `1` is given twice");
    refuses_json(&names, "[[1]]", "[0]: expected a [key, value] pair");
    refuses_json(&names, "[[1,\"a\",3]]", "[0]: expected a [key, value] pair");
    refuses_json(&names, "{\"1\":\"a\"}", "expected an array of [key, value] pairs, found an object");
}

#[test]
fn a_call_without_a_result_is_null() {
    assert_eq!(json::encode_result(TypedResult::new(None, None)).unwrap(), "null");
}

#[test]
fn arguments_are_an_array_or_one_bare_value() {
    let one = function([("n", WitType::U32)]);
    for document in ["5", "[5]", " \n[ 5 ] ", "\t5\n"] {
        assert_eq!(json::decode_args(document.as_bytes(), &one).unwrap(), [WitValue::U32(5)], "{document}");
    }
    let two = function([("a", WitType::U32), ("b", WitType::String)]);
    assert_eq!(json::decode_args(b"[5,\"x\"]", &two).unwrap(), [5u32.into(), "x".into()]);
    assert_eq!(json::decode_args(b"[]", &function([])).unwrap(), []);
    let text = function([("text", WitType::String)]);
    assert_eq!(json::decode_args(b"\"[1]\"", &text).unwrap(), ["[1]".into()]);
}

#[test]
fn an_array_holds_the_arguments_also_of_a_function_that_takes_a_list() {
    let ty = function([("numbers", list(WitType::U32))]);
    assert_eq!(json::decode_args(b"[[1]]", &ty).unwrap(), [WitValue::list([1u32])]);
    let bytes = function([("bytes", list(WitType::U8))]);
    assert_eq!(json::decode_args(b"\"hi\"", &bytes).unwrap(), [b"hi".to_vec().into()]);
    assert_eq!(json::decode_args(b"{\"base64\":\"aGk=\"}", &bytes).unwrap(), [b"hi".to_vec().into()]);
}
