//! Text: which texts are parsed to which values, and which are rejected.

use wrun::ErrorKind;
use wrun::value::{args, text};
use wrun::{FuncType, ValType, Value};

#[track_caller]
fn accepts(ty: &ValType, spellings: &[(&str, Value)]) {
    for (spelling, value) in spellings {
        let read = text::parse(spelling, ty).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(read, *value, "`{spelling}`");
    }
}

#[track_caller]
fn rejects(ty: &ValType, spellings: &[&str]) {
    for spelling in spellings {
        match text::parse(spelling, ty) {
            Ok(value) => panic!("`{spelling}` was parsed as {ty}: {value:?}"),
            Err(error) => assert_eq!(error.kind(), ErrorKind::InvalidArgument),
        }
    }
}

fn f32_of(bits: u32) -> Value {
    Value::F32(f32::from_bits(bits))
}

fn f64_of(bits: u64) -> Value {
    Value::F64(f64::from_bits(bits))
}

#[test]
fn integers_are_decimal_or_hexadecimal_in_the_signed_or_the_unsigned_range() {
    let i32_of = Value::I32;
    accepts(
        &ValType::I32,
        &[
            ("0", i32_of(0)),
            ("-0", i32_of(0)),
            ("+5", i32_of(5)),
            ("007", i32_of(7)),
            ("-7", i32_of(-7)),
            ("1_000_000", i32_of(1_000_000)),
            ("2147483647", i32_of(i32::MAX)),
            ("2147483648", i32_of(i32::MIN)),
            ("-2147483648", i32_of(i32::MIN)),
            ("4294967295", i32_of(-1)),
            ("0x10", i32_of(16)),
            ("-0x10", i32_of(-16)),
            ("+0xfF", i32_of(255)),
            ("0xffff_ffff", i32_of(-1)),
            ("-0x80000000", i32_of(i32::MIN)),
        ],
    );
    accepts(
        &ValType::I64,
        &[
            ("9223372036854775807", Value::I64(i64::MAX)),
            ("9223372036854775808", Value::I64(i64::MIN)),
            ("-9223372036854775808", Value::I64(i64::MIN)),
            ("18446744073709551615", Value::I64(-1)),
            ("0xffffffffffffffff", Value::I64(-1)),
            ("9_007_199_254_740_993", Value::I64((1 << 53) + 1)),
        ],
    );
}

#[test]
fn other_texts_are_not_integers() {
    for ty in [ValType::I32, ValType::I64] {
        rejects(
            &ty,
            &[
                "",
                " ",
                "-",
                "+",
                "x",
                " 5",
                "5 ",
                "5\n",
                "\t5",
                "5;;x",
                "5(;x;)",
                "(;x;)5",
                "(5)",
                "\"5\"",
                "--5",
                "+-5",
                "- 5",
                "0x",
                "-0x",
                "0x_1",
                "0xg",
                "0X10",
                "_1",
                "1_",
                "1__0",
                "0b1",
                "0o7",
                "5.0",
                "5.",
                ".5",
                "1e3",
                "0x1p3",
                "nan",
                "inf",
                "NaN",
                "true",
                "null",
                "5i",
                "$5",
                "５",
                "5\0",
                "i32.const 5",
            ],
        );
    }
}

#[test]
fn integers_out_of_range_are_rejected_as_such() {
    rejects(&ValType::I32, &["4294967296", "-2147483649", "0x1_0000_0000", "-0x80000001"]);
    rejects(&ValType::I64, &["18446744073709551616", "-9223372036854775809", "0x1_0000_0000_0000_0000"]);
    let message = text::parse("4294967296", &ValType::I32).unwrap_err().to_string();
    assert_eq!(message, "`4294967296` is out of range for i32 (-2147483648 to 4294967295)");
    let message = text::parse("99999999999999999999999999999999999999999999", &ValType::I64).unwrap_err().to_string();
    assert!(message.contains("out of range for i64"), "{message}");
}

#[test]
fn doubles_are_decimal_hexadecimal_infinite_or_nan() {
    accepts(
        &ValType::F64,
        &[
            ("0", Value::F64(0.0)),
            ("-0", Value::F64(-0.0)),
            ("-0.0", Value::F64(-0.0)),
            ("1", Value::F64(1.0)),
            ("+1.5", Value::F64(1.5)),
            (".5", Value::F64(0.5)),
            ("-.5", Value::F64(-0.5)),
            ("5.", Value::F64(5.0)),
            ("5.e1", Value::F64(50.0)),
            ("1_0.5", Value::F64(10.5)),
            ("-1.5e3", Value::F64(-1500.0)),
            ("1E+3", Value::F64(1000.0)),
            ("1e-3", Value::F64(0.001)),
            ("0.1", Value::F64(0.1)),
            ("1e-400", Value::F64(0.0)),
            ("5e-324", f64_of(1)),
            ("1.7976931348623157e308", Value::F64(f64::MAX)),
            ("9007199254740993", Value::F64(9_007_199_254_740_992.0)),
            ("0x10", Value::F64(16.0)),
            ("0x1.8", Value::F64(1.5)),
            ("0x1.8p1", Value::F64(3.0)),
            ("-0x1p-1074", f64_of(1 << 63 | 1)),
            ("0x1.fffffffffffffp1023", Value::F64(f64::MAX)),
            ("inf", Value::F64(f64::INFINITY)),
            ("+inf", Value::F64(f64::INFINITY)),
            ("-inf", Value::F64(f64::NEG_INFINITY)),
            ("nan", f64_of(0x7ff8_0000_0000_0000)),
            ("-nan", f64_of(0xfff8_0000_0000_0000)),
            ("nan:0x1", f64_of(0x7ff0_0000_0000_0001)),
            ("-nan:0xfffffffffffff", f64_of(u64::MAX)),
        ],
    );
}

#[test]
fn singles_are_rounded_to_their_own_width_once() {
    accepts(
        &ValType::F32,
        &[
            ("0.1", Value::F32(0.1)),
            ("16777217", Value::F32(16_777_216.0)),
            // Just above the middle between 1 and its successor: rounded to 53 bits first, it would be the middle.
            ("1.0000000596046447753906251", f32_of(0x3f80_0001)),
            ("0x1.0000010000000000001p0", f32_of(0x3f80_0001)),
            ("0x1.000001p0", f32_of(0x3f80_0000)),
            ("3.4028235e38", Value::F32(f32::MAX)),
            ("1e-45", f32_of(1)),
            ("0x1p-149", f32_of(1)),
            ("1e-50", Value::F32(0.0)),
            ("nan", f32_of(0x7fc0_0000)),
            ("nan:0x1", f32_of(0x7f80_0001)),
            ("-nan:0x7fffff", f32_of(u32::MAX)),
        ],
    );
}

#[test]
fn other_texts_are_not_floats() {
    for ty in [ValType::F32, ValType::F64] {
        rejects(
            &ty,
            &[
                "",
                " ",
                "-",
                ".",
                "-.",
                "e5",
                "1e",
                "1e+",
                "--1",
                "+-1",
                "1.5.2",
                "1,5",
                "1__0",
                "_1",
                "1_",
                "1f32",
                " 1",
                "1 ",
                "1\n",
                "1;;x",
                "(;;)1",
                "0x",
                "0x.p1",
                "0X1",
                "Infinity",
                "infinity",
                "-infinity",
                "Inf",
                "INF",
                "NaN",
                "NAN",
                "nan:",
                "nan:1",
                "nan:0x",
                "nan:0x0",
                "nan:canonical",
                "nan:arithmetic",
                "nan(0x1)",
                "null",
                "true",
                "１",
            ],
        );
    }
}

#[test]
fn floats_out_of_range_are_rejected_as_such() {
    let long = "1".repeat(400);
    let doubles = ["1e400", "-1e400", "1.8e308", "+1_0.5E999", "0x1p1024", "1.e400", "1e99999999999999999999", &*long];
    for text in doubles.into_iter().chain(["0x1p99999999999999999999"]) {
        let message = text::parse(text, &ValType::F64).unwrap_err().to_string();
        assert!(message.ends_with("is out of range for f64"), "{message}");
    }
    for text in ["1e39", "-3.5e38", "1e400", "0x1p128"] {
        let message = text::parse(text, &ValType::F32).unwrap_err().to_string();
        assert_eq!(message, format!("`{text}` is out of range for f32"));
    }
    for text in ["nan:0x10000000000000", "1e400x", "1e", "1.5.2", "Infinity", "0x.p1", "1__0"] {
        let message = text::parse(text, &ValType::F64).unwrap_err().to_string();
        assert!(message.starts_with(&format!("invalid f64 `{text}`")), "{message}");
    }
    rejects(&ValType::F32, &["nan:0x800000"]);
}

#[test]
fn vectors_are_32_hexadecimal_digits_the_most_significant_first() {
    accepts(
        &ValType::V128,
        &[
            ("0x00000000000000000000000000000000", Value::V128(0)),
            ("0x000102030405060708090a0b0c0d0e0f", Value::V128(0x0001_0203_0405_0607_0809_0a0b_0c0d_0e0f)),
            ("0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF", Value::V128(u128::MAX)),
            ("0x00000000000000000000000000000001", Value::V128(1)),
        ],
    );
    rejects(
        &ValType::V128,
        &[
            "",
            "0",
            "0x0",
            "0x0001020304050607_08090a0b0c0d0e0f",
            "000102030405060708090a0b0c0d0e0f",
            "0x000102030405060708090a0b0c0d0e0",
            "0x000102030405060708090a0b0c0d0e0f0",
            "-0x00102030405060708090a0b0c0d0e0f",
            "0x+00102030405060708090a0b0c0d0e0f",
            "i32x4 1 2 3 4",
            "null",
        ],
    );
}

#[test]
fn references_are_null_only() {
    accepts(&ValType::FuncRef, &[("null", Value::FuncRef(None))]);
    accepts(&ValType::ExternRef, &[("null", Value::ExternRef(None))]);
    for ty in [ValType::FuncRef, ValType::ExternRef] {
        rejects(&ty, &["", "0", "NULL", " null", "ref.null", "funcref:0", "externref:0", "nan"]);
    }
    rejects(&ValType::Ref("anyref".into()), &["null", "0", ""]);
}

#[test]
fn each_value_has_one_format() {
    let spellings = [
        (Value::I32(-1), "-1"),
        (Value::I64(i64::MIN), "-9223372036854775808"),
        (Value::F32(0.1), "0.1"),
        (Value::F32(-0.0), "-0.0"),
        (Value::F32(16_777_216.0), "16777216.0"),
        (f32_of(1), "1e-45"),
        (Value::F64(8.0), "8.0"),
        (Value::F64(0.1), "0.1"),
        (Value::F64(f64::MAX), "1.7976931348623157e+308"),
        (Value::F64(f64::NEG_INFINITY), "-inf"),
        (f32_of(0x7fc0_0000), "nan"),
        (f32_of(0xffc0_0000), "-nan"),
        (f32_of(0x7f80_0001), "nan:0x1"),
        (f64_of(0x7ff8_0000_0000_0001), "nan:0x8000000000001"),
        (Value::V128(1), "0x00000000000000000000000000000001"),
        (Value::FuncRef(None), "null"),
        (Value::FuncRef(Some(3)), "funcref:3"),
        (Value::ExternRef(Some(u64::MAX)), "externref:18446744073709551615"),
    ];
    for (value, spelling) in spellings {
        assert_eq!(text::format(&value), spelling);
        assert_eq!(value.to_string(), spelling, "`Display` is the same");
    }
}

#[test]
fn messages_name_the_argument_and_its_type() {
    let ty = FuncType::new([ValType::I32, ValType::F64], []);
    let message = |args: &[&str]| args::parse_text(args, &ty).unwrap_err().to_string();
    assert_eq!(
        message(&["1", "x"]),
        "argument 2 (f64): invalid f64 `x`: expected a number such as 1.5, -2e3, inf or nan"
    );
    assert_eq!(message(&["1"]), "too few arguments: 1 given, 2 parameters; argument 2 (f64) is missing");
    assert_eq!(message(&["1", "2", "3"]), "too many arguments: 3 given, 2 parameters");
    assert_eq!(message(&[]), "too few arguments: 0 given, 2 parameters; argument 1 (i32) is missing");
}

#[test]
fn a_long_argument_is_shortened_in_the_message() {
    let message = text::parse(&"é".repeat(10_000), &ValType::I32).unwrap_err().to_string();
    assert!(message.chars().count() < 300 && message.contains("(20000 bytes)"), "{message}");
}
