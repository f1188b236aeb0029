//! Values as text arguments: plain text, JSON and WAVE.

use wasm_wave::value::{Type, Value};
use wasm_wave::wasm::WasmValue;
use wrun::component::text;
use wrun::component::types::TypeKind;
use wrun::{WitType, WitValue};

use super::any::{self, any_typed};
use super::round_trips::{assert_read_or_refused, mutate};
use super::{enumeration, flags, from_text, function, list, map, option, record, refuses, result, tuple, variant};

#[track_caller]
fn reads(ty: &WitType, text: &str, value: impl Into<WitValue>) {
    assert_eq!(from_text(text, ty).unwrap_or_else(|error| panic!("`{text}`: {error}")), value.into(), "`{text}`");
}

#[test]
fn strings_and_characters_are_the_text_itself() {
    reads(&WitType::String, "\"quoted\" \\n", "\"quoted\" \\n");
    reads(&WitType::String, "", "");
    reads(&WitType::Char, "\"", '"');
    refuses(from_text("\"a\"", &WitType::Char), "expected one character, found 3 in `\"a\"`");
}

#[test]
fn numbers_are_written_as_for_core_modules() {
    reads(&WitType::U8, "0xff", 255u8);
    reads(&WitType::S64, "-9_223_372_036_854_775_808", i64::MIN);
    reads(&WitType::F64, "0x1.8p1", 3.0);
    reads(&WitType::F32, ".5", 0.5f32);
    reads(&WitType::F64, "-inf", f64::NEG_INFINITY);
    reads(&WitType::F64, "nan", f64::NAN);
    reads(&WitType::Bool, "true", true);
    refuses(from_text("256", &WitType::U8), "256 is out of range for u8 (0 to 255)");
    refuses(from_text("-1", &WitType::U64), "-1 is out of range for u64 (0 to 18446744073709551615)");
    refuses(from_text("x", &WitType::S8), "invalid s8 `x`: expected an integer such as 42, -7 or 0xff");
    refuses(from_text("", &WitType::U8), "invalid u8 `\"\"`: expected an integer such as 42 or 0xff");
    refuses(from_text("yes", &WitType::Bool), "expected true or false, found `yes`");
}

#[test]
fn other_values_are_json_or_wave() {
    let item = record([("name", WitType::String), ("qty", WitType::U32), ("note", option(WitType::String))]);
    let tea = WitValue::record([("name", "tea".into()), ("qty", 2u32.into()), ("note", None::<&str>.into())]);
    reads(&item, r#"{"name":"tea","qty":2}"#, tea.clone());
    reads(&item, r#"{name: "tea", qty: 2}"#, tea.clone());
    reads(&item, r#"{qty: 2, name: "tea", note: none}"#, tea);
    reads(
        &list(WitType::F64),
        "[1, inf, -inf, 2.5e3]",
        WitValue::list([1.0, f64::INFINITY, f64::NEG_INFINITY, 2500.0]),
    );
    reads(&list(WitType::Char), "['a', '\\n']", WitValue::list(['a', '\n']));
    reads(&tuple([WitType::U8, WitType::String]), "(1, \"x\")", WitValue::Tuple(vec![1u8.into(), "x".into()]));
    reads(&flags(["read", "write"]), "{write}", WitValue::Flags(vec!["write".into()]));
    reads(&flags(["read", "write"]), "{}", WitValue::Flags(vec![]));
    reads(&flags(["read", "write"]), "[\"read\"]", WitValue::Flags(vec!["read".into()]));
    reads(&TypeKind::FixedLengthList(WitType::U8, 2).into(), "[1, 2,]", WitValue::list([1u8, 2]));
    reads(&list(WitType::U8), "\"hi\"", b"hi".as_slice());
    reads(&list(WitType::U8), "[1, 2,]", vec![1u8, 2]);
    reads(&map(WitType::U8, WitType::Bool), "[[1,true]]", WitValue::Map(vec![(1u8.into(), true.into())]));
}

#[test]
fn options_and_results_in_wave() {
    reads(&option(WitType::U8), "null", None::<u8>);
    reads(&option(WitType::U8), "none", None::<u8>);
    reads(&option(WitType::U8), "5", Some(5u8));
    reads(&option(WitType::U8), "some(5)", Some(5u8));
    reads(&option(option(WitType::U8)), "some(none)", Some(None::<u8>));
    reads(&option(WitType::String), "\"null\"", Some("null"));
    let full = result(Some(WitType::U8), Some(WitType::String));
    reads(&full, "ok(5)", WitValue::ok(Some(5u8.into())));
    reads(&full, "err(\"no\")", WitValue::err(Some("no".into())));
    reads(&result(None, None), "ok", WitValue::ok(None));
    refuses(from_text("some(some(5))", &option(WitType::U8)), "some: expected an integer (u8), found `some(5)`");
}

#[test]
fn a_case_without_a_payload_is_its_name() {
    let status = enumeration(["ok", "true", "not-found"]);
    for name in ["ok", "true", "not-found"] {
        reads(&status, name, WitValue::Enum(name.into()));
        reads(&status, &format!("\"{name}\""), WitValue::Enum(name.into()));
        reads(&status, &format!("%{name}"), WitValue::Enum(name.into()));
    }
    let shape = variant([("none", None), ("circle", Some(WitType::F64))]);
    reads(&shape, "none", WitValue::variant("none", None));
    reads(&shape, "circle(1.5)", WitValue::variant("circle", Some(1.5.into())));
    reads(&shape, "{\"circle\": 1.5}", WitValue::variant("circle", Some(1.5.into())));
}

#[test]
fn errors_of_wave_have_a_path_too() {
    let ty = function([("items", list(record([("qty", WitType::U8), ("unit", enumeration(["gram", "piece"]))])))]);
    let refused = |text: &str, message: &str| refuses(text::parse_args(&[text], &ty), message);
    refused("[{qty: 300, unit: gram}]", "items[0].qty: 300 is out of range for u8 (0 to 255)");
    refused("[{qty: 3, unit: garm}]", "items[0].unit: unknown case `garm`");
    refused("[{qty: 3, unti: gram}]", "items[0]: unknown field `unti`");
    refused("[{qty: 3}]", "items[0]: the field `unit` (enum { gram, piece }) is missing");
    refused("[{\"qty\": 300}]", "items[0].qty: 300 is out of range for u8 (0 to 255)");
    let neither = "items: `[{` is neither JSON (EOF while parsing an object at line 1 column 2) nor WAVE (unexpected end of input at column 3)";
    refused("[{", neither);
    refuses(
        text::parse_args::<&str>(&[], &ty),
        "too few arguments: 0 given, 1 parameter; `items` (list<record { qty: u8, unit: enum { gram, piece } }>) is missing",
    );
}

#[test]
fn a_string_without_quotes_in_another_type_comes_with_a_hint() {
    let error = from_text("hello", &option(WitType::String)).unwrap_err();
    assert_eq!(error.to_string(), "expected a string, found `hello`");
    assert_eq!(error.hints(), ["a string needs quotes: \"hello\""]);
}

#[test]
fn a_name_that_is_not_json_is_refused_as_a_case() {
    let colour = enumeration(["red", "green"]);
    let shape = variant([("none", None), ("circle", Some(WitType::F64))]);
    for (ty, text, message, hint) in [
        (&colour, "Red", "unknown case `Red`", "did you mean `red`?"),
        (&shape, "Circle(1)", "unknown case `Circle`", "did you mean `circle`?"),
        (&shape, "zzz", "unknown case `zzz`", "the cases are none, circle"),
    ] {
        let error = from_text(text, ty).unwrap_err();
        assert_eq!((error.to_string().as_str(), error.hints().join("\n").as_str()), (message, hint));
    }
    refuses(from_text("", &colour), "expected one of red, green; found empty text");
    refuses(from_text(" ", &option(WitType::U32)), "expected an integer (u32) or null, found empty text");
    refuses(from_text("some", &option(WitType::U32)), "expected an integer (u32) or null, found `some`");
    refuses(from_text("Some", &option(WitType::U32)), "expected an integer (u32) or null, found `Some`");
}

#[test]
fn text_that_is_not_json_is_refused_as_wave() {
    let access = flags(["read", "write"]);
    let error = from_text("{raed}", &access).unwrap_err();
    assert_eq!(
        (error.to_string().as_str(), error.hints()),
        ("unknown flag `raed`", &["did you mean `read`?".into()][..])
    );
    let twice = "`{read, read}` is neither JSON (key must be a string at line 1 column 2) nor WAVE (duplicate flag at column 8)";
    refuses(from_text("{read, read}", &access), twice);
    let neither = "`{read,` is neither JSON (key must be a string at line 1 column 2) nor WAVE (unexpected end of input at column 7)";
    refuses(from_text("{read,", &access), neither);
    let pair = tuple([WitType::U8, WitType::String]);
    let error = from_text("[1, hello]", &pair).unwrap_err();
    assert_eq!(error.to_string(), "[1]: expected a string, found `hello`");
    assert_eq!(error.hints(), ["a string needs quotes: \"hello\""]);
    reads(&tuple([WitType::U8, WitType::F64]), "[1, inf]", WitValue::Tuple(vec![1u8.into(), f64::INFINITY.into()]));
}

#[test]
fn wave_has_no_maps() {
    refuses(from_text("{a: 1}", &map(WitType::String, WitType::U8)), "WAVE has no maps; write the value in JSON");
}

#[test]
fn results_are_written_without_quotes() {
    let format = |value: WitValue, ty: &WitType| text::format(&value, ty).unwrap();
    assert_eq!(format("a\n\"b".into(), &WitType::String), "a\n\"b");
    assert_eq!(format('ß'.into(), &WitType::Char), "ß");
    assert_eq!(format(f64::INFINITY.into(), &WitType::F64), "inf");
    assert_eq!(format(8.0.into(), &WitType::F64), "8.0");
    assert_eq!(format(u64::MAX.into(), &WitType::U64), "18446744073709551615");
    assert_eq!(format(WitValue::Enum("red".into()), &enumeration(["red"])), "red");
    let shape = variant([("none", None), ("circle", Some(WitType::F64))]);
    assert_eq!(format(WitValue::variant("none", None), &shape), "none");
    assert_eq!(format(WitValue::variant("circle", Some(1.0.into())), &shape), "{\"circle\":1.0}");
    assert_eq!(format(WitValue::ok(None), &result(None, Some(WitType::U8))), "ok");
    assert_eq!(format(WitValue::err(None), &result(Some(WitType::U8), None)), "err");
    assert_eq!(format(Some("x").into(), &option(WitType::String)), "\"x\"");
    assert_eq!(format(WitValue::list([true]), &list(WitType::Bool)), "[true]");
}

/// Converts to the types of wasm-wave; `None` for maps, which it does not have.
fn wave_type(ty: &WitType) -> Option<Type> {
    let payload = |ty: &Option<WitType>| ty.as_ref().map_or(Some(None), |ty| wave_type(ty).map(Some));
    Some(match ty {
        WitType::Bool => Type::BOOL,
        WitType::S8 => Type::S8,
        WitType::U8 => Type::U8,
        WitType::S16 => Type::S16,
        WitType::U16 => Type::U16,
        WitType::S32 => Type::S32,
        WitType::U32 => Type::U32,
        WitType::S64 => Type::S64,
        WitType::U64 => Type::U64,
        WitType::F32 => Type::F32,
        WitType::F64 => Type::F64,
        WitType::Char => Type::CHAR,
        WitType::String => Type::STRING,
        _ => match ty.kind()? {
            TypeKind::Record(fields) => {
                let fields = fields.iter().map(|(name, ty)| Some((name.to_string(), wave_type(ty)?)));
                Type::record(fields.collect::<Option<Vec<_>>>()?)?
            }
            TypeKind::Variant(cases) => {
                let cases = cases.iter().map(|(name, ty)| Some((name.to_string(), payload(ty)?)));
                Type::variant(cases.collect::<Option<Vec<_>>>()?)?
            }
            TypeKind::Enum(names) => Type::enum_ty(names.iter().map(ToString::to_string))?,
            TypeKind::Flags(names) => Type::flags(names.iter().map(ToString::to_string))?,
            TypeKind::Tuple(types) => Type::tuple(types.iter().map(wave_type).collect::<Option<Vec<_>>>()?)?,
            TypeKind::List(ty) | TypeKind::FixedLengthList(ty, _) => Type::list(wave_type(ty)?),
            TypeKind::Option(ty) => Type::option(wave_type(ty)?),
            TypeKind::Result { ok, err } => Type::result(payload(ok)?, payload(err)?),
            _ => return None,
        },
    })
}

fn wave_value(value: &WitValue, ty: &Type) -> Value {
    match value {
        WitValue::Bool(v) => Value::make_bool(*v),
        WitValue::S8(v) => Value::make_s8(*v),
        WitValue::U8(v) => Value::make_u8(*v),
        WitValue::S16(v) => Value::make_s16(*v),
        WitValue::U16(v) => Value::make_u16(*v),
        WitValue::S32(v) => Value::make_s32(*v),
        WitValue::U32(v) => Value::make_u32(*v),
        WitValue::S64(v) => Value::make_s64(*v),
        WitValue::U64(v) => Value::make_u64(*v),
        WitValue::F32(v) => Value::make_f32(*v),
        WitValue::F64(v) => Value::make_f64(*v),
        WitValue::Char(v) => Value::make_char(*v),
        WitValue::String(v) => Value::make_string(v.into()),
        other => wave_compound(other, ty),
    }
}

fn wave_compound(value: &WitValue, ty: &Type) -> Value {
    use wasm_wave::wasm::WasmType as _;
    let payload =
        |value: &Option<Box<WitValue>>, ty: Option<Type>| value.as_ref().map(|value| wave_value(value, &ty.unwrap()));
    match value {
        WitValue::Bytes(bytes) => Value::make_list(ty, bytes.iter().map(|byte| Value::make_u8(*byte))),
        WitValue::List(values) => {
            let element = ty.list_element_type().unwrap();
            Value::make_list(ty, values.iter().map(|value| wave_value(value, &element)))
        }
        WitValue::Tuple(values) => {
            Value::make_tuple(ty, values.iter().zip(ty.tuple_element_types()).map(|(value, ty)| wave_value(value, &ty)))
        }
        WitValue::Record(values) => {
            let fields = values.iter().zip(ty.record_fields());
            Value::make_record(ty, fields.map(|((name, value), (_, ty))| (&**name, wave_value(value, &ty))))
        }
        WitValue::Variant(name, value) => {
            let case = ty.variant_cases().find(|(case, _)| *case == **name).unwrap();
            Value::make_variant(ty, name, payload(value, case.1))
        }
        WitValue::Enum(name) => Value::make_enum(ty, name),
        WitValue::Flags(names) => Value::make_flags(ty, names.iter().map(|name| &**name)),
        WitValue::Option(value) => Value::make_option(ty, payload(value, ty.option_some_type())),
        WitValue::Result(value) => {
            let (ok, err) = ty.result_types().unwrap();
            Value::make_result(
                ty,
                match value {
                    Ok(value) => Ok(payload(value, ok)),
                    Err(value) => Err(payload(value, err)),
                },
            )
        }
        other => unreachable!("{other:?}"),
    }
    .unwrap()
}

/// Every NaN is `nan` in WAVE, which is read as the canonical one.
fn has_other_nan(value: &WitValue, ty: &WitType) -> bool {
    super::to_json(value, ty).contains("nan:") || super::to_json(value, ty).contains("-nan")
}

/// Returns WAVE of a value, as the crate writes it; `None` for values with maps, or with a NaN that is not `nan`.
fn to_wave(value: &WitValue, ty: &WitType) -> Option<String> {
    let wave_ty = wave_type(ty).filter(|_| !has_other_nan(value, ty))?;
    Some(wasm_wave::to_string(&wave_value(value, &wave_ty)).unwrap())
}

#[test]
fn wave_as_its_crate_writes_it_is_read() {
    let mut read = 0;
    any::check(3000, |u| {
        let (ty, value) = any_typed(u)?;
        let Some(written) = to_wave(&value, &ty).filter(|_| !matches!(ty, WitType::String | WitType::Char)) else {
            return Ok(());
        };
        let value_read = from_text(&written, &ty).unwrap_or_else(|error| panic!("{written} of {ty}: {error}"));
        assert_eq!(value_read, value, "{written} of {ty}");
        read += 1;
        Ok(())
    });
    assert!(read > 1000, "only {read} values were tested");
}

#[test]
fn changed_wave_is_read_or_refused() {
    let tokens: [&[u8]; 12] =
        [b"some(", b")", b"(", b"{", b"}", b"%", b"'", b"\"\"\"\n", b"\\u{d800}", b"//", b"none", b"-inf"];
    any::check(4000, |u| {
        let (ty, value) = any_typed(u)?;
        let Some(written) = to_wave(&value, &ty) else { return Ok(()) };
        let changed = mutate(u, written.as_bytes(), &tokens)?;
        if let Ok(changed) = std::str::from_utf8(&changed) {
            assert_read_or_refused(from_text(changed, &ty), &ty, changed.as_bytes());
        }
        Ok(())
    });
}
