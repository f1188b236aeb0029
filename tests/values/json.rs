//! JSON: which documents are decoded to which values, and which are rejected.

use std::error::Error as _;

use wrun::value::json;
use wrun::{ErrorKind, FuncType, ValType, Value};

use ValType::{ExternRef, F32, F64, FuncRef, I32, I64, V128};

/// Decodes a document, also into values that are there already.
fn decode(types: &[ValType], document: &str) -> wrun::Result<Vec<Value>> {
    let (ty, mut values) = (FuncType::new(types, []), vec![Value::I32(7); 3]);
    let decoded = json::decode_args(document.as_bytes(), &ty);
    let again = json::decode_args_into(document.as_bytes(), &ty, &mut values).map(|()| values);
    assert_eq!(again.as_ref().ok(), decoded.as_ref().ok(), "`{document}`");
    decoded
}

#[track_caller]
fn accepts(types: &[ValType], documents: &[(&str, &[Value])]) {
    for (document, values) in documents {
        let read = decode(types, document).unwrap_or_else(|error| panic!("`{document}`: {error}"));
        assert_eq!(read, *values, "`{document}`");
    }
}

#[track_caller]
fn rejects(types: &[ValType], documents: &[&str]) {
    for document in documents {
        match decode(types, document) {
            Ok(values) => panic!("`{document}` was decoded for {types:?} as {values:?}"),
            Err(error) => assert_eq!(error.kind(), ErrorKind::InvalidArgument, "`{document}`"),
        }
    }
}

#[test]
fn one_parameter_takes_an_array_or_a_bare_value() {
    let five: &[Value] = &[Value::I32(5)];
    accepts(
        &[I32],
        &[("[5]", five), ("5", five), (" \n[ 5 ]\t", five), (" 5\r\n", five), ("\"5\"", five), ("[\"0x5\"]", five)],
    );
    accepts(&[I32], &[(r#""\u0035""#, five)]);
}

#[test]
fn integers_are_exact_in_the_signed_or_the_unsigned_range() {
    accepts(
        &[I32],
        &[
            ("-2147483648", &[Value::I32(i32::MIN)]),
            ("4294967295", &[Value::I32(-1)]),
            ("\"0xffffffff\"", &[Value::I32(-1)]),
            ("-0", &[Value::I32(0)]),
        ],
    );
    accepts(
        &[I64],
        &[
            ("9007199254740993", &[Value::I64(9_007_199_254_740_993)]),
            ("9223372036854775807", &[Value::I64(i64::MAX)]),
            ("9223372036854775808", &[Value::I64(i64::MIN)]),
            ("18446744073709551615", &[Value::I64(-1)]),
            ("-9223372036854775808", &[Value::I64(i64::MIN)]),
            ("\"-1\"", &[Value::I64(-1)]),
        ],
    );
}

#[test]
fn other_documents_are_not_integers() {
    for ty in [I32, I64] {
        rejects(
            &[ty],
            &[
                "5.0",
                "[5.0]",
                "5e0",
                "1E3",
                "-0.0",
                "true",
                "false",
                "null",
                "{}",
                "[[5]]",
                "[[]]",
                "\"\"",
                "\" 5\"",
                "\"5 \"",
                "\"5;;x\"",
                "\"x\"",
                "\"null\"",
                "{\"i32\": 5}",
                "[null]",
                "[true]",
                "\"5.0\"",
            ],
        );
    }
    rejects(&[I32], &["4294967296", "-2147483649", "\"0x100000000\""]);
    rejects(&[I64], &["18446744073709551616", "-9223372036854775809", "1e18"]);
}

#[test]
fn invalid_json_is_rejected() {
    rejects(
        &[I32],
        &[
            "",
            " ",
            "\n",
            "[",
            "[5",
            "5]",
            "[5,]",
            "[,5]",
            "[5] 6",
            "5 6",
            "5,6",
            "[5][6]",
            "5x",
            "+5",
            "05",
            "0x10",
            "1_000",
            "5.",
            "'5'",
            "\"5",
            "nul",
            "NaN",
            "Infinity",
            "-Infinity",
            "-",
            "// five\n5",
            "5 // five",
            "\u{feff}5",
            "\"\\x\"",
            "\"\\ud800\"",
        ],
    );
    assert!(json::decode_args(b"\"\xff\"", &FuncType::new([I32], [])).is_err());
    assert!(json::decode_args(b"5\0", &FuncType::new([I32], [])).is_err());
}

#[test]
fn floats_are_numbers_or_strings() {
    accepts(
        &[F64],
        &[
            ("5", &[Value::F64(5.0)]),
            ("-0", &[Value::F64(-0.0)]),
            ("-0.0", &[Value::F64(-0.0)]),
            ("1E5", &[Value::F64(100_000.0)]),
            ("1e-400", &[Value::F64(0.0)]),
            ("18446744073709551616", &[Value::F64(18_446_744_073_709_551_616.0)]),
            ("0.1", &[Value::F64(0.1)]),
            ("\"0.1\"", &[Value::F64(0.1)]),
            ("\".5\"", &[Value::F64(0.5)]),
            ("\"0x1.8p1\"", &[Value::F64(3.0)]),
            ("\"inf\"", &[Value::F64(f64::INFINITY)]),
            ("\"-inf\"", &[Value::F64(f64::NEG_INFINITY)]),
            ("\"nan\"", &[Value::F64(f64::from_bits(0x7ff8_0000_0000_0000))]),
            ("\"-nan:0x1\"", &[Value::F64(f64::from_bits(0xfff0_0000_0000_0001))]),
        ],
    );
    accepts(
        &[F32],
        &[
            ("0.1", &[Value::F32(0.1)]),
            ("16777217", &[Value::F32(16_777_216.0)]),
            ("1.0000000596046447753906251", &[Value::F32(f32::from_bits(0x3f80_0001))]),
            ("3.4028235e38", &[Value::F32(f32::MAX)]),
            ("\"nan:0x1\"", &[Value::F32(f32::from_bits(0x7f80_0001))]),
        ],
    );
}

#[test]
fn other_documents_are_not_floats() {
    for ty in [F32, F64] {
        rejects(
            &[ty],
            &[
                "1e400",
                "-1e400",
                "\"1e400\"",
                "null",
                "true",
                "[[1.0]]",
                "{}",
                "\"\"",
                "\"Infinity\"",
                "\"infinity\"",
                "\"NaN\"",
                "\" 1\"",
                "\"1 \"",
                "\"nan:0x0\"",
                ".5",
                "5.",
                "NaN",
                "inf",
                "nan",
            ],
        );
    }
    rejects(&[F32], &["1e39", "-3.5e38"]);
}

#[test]
fn vectors_are_a_string_or_lanes_with_the_least_significant_first() {
    let ascending: &[Value] = &[Value::V128(0x0f0e_0d0c_0b0a_0908_0706_0504_0302_0100)];
    accepts(
        &[V128],
        &[
            ("\"0x0f0e0d0c0b0a09080706050403020100\"", ascending),
            (r#"{"i8x16":[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15]}"#, ascending),
            (r#"[{"i16x8":["0x0100","0x0302","0x0504","0x0706","0x0908","0x0b0a","0x0d0c","0x0f0e"]}]"#, ascending),
            (r#"{"i32x4":["0x03020100","0x07060504","0x0b0a0908","0x0f0e0d0c"]}"#, ascending),
            (r#"{"i64x2":["0x0706050403020100","0x0f0e0d0c0b0a0908"]}"#, ascending),
            (r#"{"i32x4":[-1,4294967295,0,1]}"#, &[Value::V128(1 << 96 | u128::from(u64::MAX))]),
            (r#"{"i8x16":[-128,255,127,-1,0,0,0,0,0,0,0,0,0,0,0,0]}"#, &[Value::V128(0xff7f_ff80)]),
            (r#"{"i16x8":[-32768,65535,0,0,0,0,0,0]}"#, &[Value::V128(0xffff_8000)]),
            (r#"{"f32x4":[1,-0.0,"inf","nan"]}"#, &[Value::V128(0x7fc0_0000_7f80_0000_8000_0000_3f80_0000)]),
            (r#"{"f64x2":[1,"-inf"]}"#, &[Value::V128(0xfff0_0000_0000_0000 << 64 | 0x3ff0_0000_0000_0000)]),
        ],
    );
}

#[test]
fn other_documents_are_not_vectors() {
    rejects(
        &[V128],
        &[
            "0",
            "null",
            "true",
            "{}",
            "[1,2,3,4]",
            "[[1,2,3,4]]",
            "\"0x0\"",
            r#"{"i32x4":[1,2,3]}"#,
            r#"{"i32x4":[1,2,3,4,5]}"#,
            r#"{"i32x4":[1,2,3,4],"i64x2":[1,2]}"#,
            r#"{"i32x4":[1,2,3,4],"i32x4":[1,2,3,4]}"#,
            r#"{"i32x4":1}"#,
            r#"{"i32x4":"0x1"}"#,
            r#"{"i32x4":{"0":1}}"#,
            r#"{"i32x4":[1,2,3,null]}"#,
            r#"{"i32x4":[1,2,3,4.0]}"#,
            r#"{"i32x4":[1,2,3,4294967296]}"#,
            r#"{"i32x3":[1,2,3]}"#,
            r#"{"I32X4":[1,2,3,4]}"#,
            r#"{"f32x4":[1,2,3,1e39]}"#,
            r#"{"i64x2":[1,18446744073709551616]}"#,
            r#"{"v128":"0x0f0e0d0c0b0a09080706050403020100"}"#,
        ],
    );
}

#[test]
fn narrow_lanes_out_of_range_are_rejected() {
    let filled = |lane: &str| format!(r#"{{"i8x16":[{lane},0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]}}"#);
    for lane in
        ["256", "-129", "65535", "2147483648", "4294967295", "4294967168", "18446744073709551615", "\"0xffffffff\""]
    {
        rejects(&[V128], &[&filled(lane)]);
    }
    let filled = |lane: &str| format!(r#"{{"i16x8":[{lane},0,0,0,0,0,0,0]}}"#);
    for lane in ["65536", "-32769", "4294967295", "4294934528", "18446744073709551615"] {
        rejects(&[V128], &[&filled(lane)]);
    }
}

#[test]
fn references_are_null_only() {
    accepts(&[FuncRef], &[("null", &[Value::FuncRef(None)]), ("[null]", &[Value::FuncRef(None)])]);
    accepts(&[ExternRef], &[("null", &[Value::ExternRef(None)]), ("[null]", &[Value::ExternRef(None)])]);
    for ty in [FuncRef, ExternRef] {
        rejects(&[ty], &["0", "\"\"", "{}", "[]", r#"{"funcref":0}"#, r#"{"externref":0}"#, "true", "\"funcref:0\""]);
    }
}

#[test]
fn several_parameters_take_an_array_of_the_same_length() {
    accepts(&[], &[("[]", &[]), (" [ ] ", &[])]);
    rejects(&[], &["null", "{}", "0", "[null]", "[[]]", ""]);
    accepts(&[I32, F64], &[("[1, 2]", &[Value::I32(1), Value::F64(2.0)])]);
    rejects(&[I32, F64], &["[]", "[1]", "[1,2,3]", "1", "[[1,2]]", "{\"0\":1,\"1\":2}", "\"1 2\"", "null", "[2.0, 1]"]);
}

#[test]
fn messages_name_the_argument_and_its_type() {
    let message = |document| decode(&[I32, F64], document).unwrap_err().to_string();
    assert_eq!(
        message("[1, true]"),
        "argument 2 (f64): invalid f64 `true`: expected a number such as 1.5, -2e3, inf or nan"
    );
    assert_eq!(message("[1.5, 1]"), "argument 1 (i32): invalid i32 `1.5`: expected an integer such as 42, -7 or 0xff");
    assert_eq!(message("[1]"), "too few arguments: 1 given, 2 parameters; argument 2 (f64) is missing");
    assert_eq!(message("7"), "expected a JSON array of 2 values");
    assert_eq!(message(" "), "no arguments: the input is empty");
    assert_eq!(message("[1, 1e400]"), "argument 2 (f64): `1e400` is out of range for f64");
    let lanes = decode(&[V128], "{}").unwrap_err();
    assert!(lanes.message().contains("invalid v128 `{}`: expected lanes such as {\"i32x4\":[1,2,3,4]}"), "{lanes}");
    assert!(lanes.source().is_some_and(<dyn std::error::Error>::is::<serde_json::Error>));
}

#[test]
fn results_are_null_a_value_or_an_array() {
    let f32_of = |bits| Value::F32(f32::from_bits(bits));
    let documents: [(&[Value], &str); 14] = [
        (&[], "null"),
        (&[Value::I32(-1)], "-1"),
        (&[Value::I64(i64::MIN)], "-9223372036854775808"),
        (&[Value::F32(0.1)], "0.1"),
        (&[Value::F64(8.0)], "8.0"),
        (&[Value::F64(-0.0)], "-0.0"),
        (&[Value::F64(1e300)], "1e+300"),
        (&[Value::F64(f64::INFINITY)], "\"inf\""),
        (&[f32_of(0xffc0_0000)], "\"-nan\""),
        (&[f32_of(0x7f80_0001)], "\"nan:0x1\""),
        (&[Value::V128(255)], "\"0x000000000000000000000000000000ff\""),
        (&[Value::FuncRef(None)], "null"),
        (&[Value::FuncRef(Some(2))], "{\"funcref\":2}"),
        (&[Value::I32(1), Value::F32(2.5), Value::ExternRef(None)], "[1,2.5,null]"),
    ];
    for (values, document) in documents {
        assert_eq!(json::encode_results(values), document);
    }
}
