//! Values as text, guided by their type: the literals of the WebAssembly text format (read by the `wast` crate), and
//! for floats also what Rust reads (`.5`, `5.`).

use wast::parser::{self, Parse, ParseBuffer};
use wast::token::{F32, F64};

use crate::error::{Error, ErrorKind, Result};
use crate::value::types::{ValType, Value};

/// Reads one value of type `ty`.
///
/// Integers are decimal or `0x`, `_` between digits allowed, in the signed or the unsigned range. Floats are decimal,
/// hexadecimal, `inf`, `nan` or `nan:0x…`, any of them signed. A `v128` is `0x` and 32 hexadecimal digits. References
/// are `null`.
///
/// # Errors
/// [`ErrorKind::InvalidArgument`] where `text` is no such value or out of range.
pub fn parse(text: &str, ty: &ValType) -> Result<Value> {
    let value = match ty {
        ValType::I32 => literal::<i32>(text).map(Value::I32),
        ValType::I64 => literal::<i64>(text).map(Value::I64),
        ValType::F32 => float32(text).map(Value::F32),
        ValType::F64 => float64(text).map(Value::F64),
        ValType::V128 => v128(text).map(Value::V128),
        ValType::FuncRef => (text == "null").then_some(Value::FuncRef(None)),
        ValType::ExternRef => (text == "null").then_some(Value::ExternRef(None)),
        ValType::Ref(_) => None,
    };
    value.ok_or_else(|| invalid(text, ty))
}

/// The spelling that [`parse`] reads back to the same bits: decimal integers, the shortest decimal that names a float
/// of that width, `inf`, `nan`, `nan:0x…`, `0x…` for `v128`, `null`. A reference that is not null, which nothing can
/// be read into, is `funcref:n` or `externref:n`.
#[must_use]
pub fn format(value: &Value) -> String {
    match *value {
        Value::I32(v) => v.to_string(),
        Value::I64(v) => v.to_string(),
        Value::F32(v) => non_finite_f32(v).unwrap_or_else(|| shortest(&v)),
        Value::F64(v) => non_finite_f64(v).unwrap_or_else(|| shortest(&v)),
        Value::V128(v) => format!("{v:#034x}"),
        Value::FuncRef(None) | Value::ExternRef(None) => "null".to_owned(),
        Value::FuncRef(Some(n)) => format!("funcref:{n}"),
        Value::ExternRef(Some(n)) => format!("externref:{n}"),
    }
}

/// The spelling of a 32-bit infinity or NaN; `None` for a number.
#[must_use]
pub fn non_finite_f32(v: f32) -> Option<String> {
    let payload = u64::from(v.to_bits() & 0x007f_ffff);
    non_finite(v.is_sign_negative(), v.is_infinite(), v.is_nan(), payload, 0x0040_0000)
}

/// The spelling of a 64-bit infinity or NaN; `None` for a number.
#[must_use]
pub fn non_finite_f64(v: f64) -> Option<String> {
    let payload = v.to_bits() & 0x000f_ffff_ffff_ffff;
    non_finite(v.is_sign_negative(), v.is_infinite(), v.is_nan(), payload, 0x0008_0000_0000_0000)
}

fn non_finite(negative: bool, infinite: bool, nan: bool, payload: u64, canonical: u64) -> Option<String> {
    let sign = if negative { "-" } else { "" };
    match (infinite, nan) {
        (true, _) => Some(format!("{sign}inf")),
        (_, true) if payload == canonical => Some(format!("{sign}nan")),
        (_, true) => Some(format!("{sign}nan:{payload:#x}")),
        _ => None,
    }
}

/// The shortest decimal that reads back as the same float, as JSON writes it.
fn shortest<T: serde::Serialize>(number: &T) -> String {
    serde_json::to_string(number).unwrap_or_else(|_| unreachable!("a finite float is a JSON number"))
}

/// A token of the text format; white space and comments, which its lexer would skip, are no part of a value.
fn literal<T: for<'a> Parse<'a>>(text: &str) -> Option<T> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"+-._:".contains(&byte);
    if !text.bytes().all(plain) {
        return None;
    }
    let buffer = ParseBuffer::new(text).ok()?;
    parser::parse::<T>(&buffer).ok()
}

fn float32(text: &str) -> Option<f32> {
    literal::<F32>(text).map(|v| f32::from_bits(v.bits)).or_else(|| finite(text.parse().ok()?, f32::is_finite))
}

fn float64(text: &str) -> Option<f64> {
    literal::<F64>(text).map(|v| f64::from_bits(v.bits)).or_else(|| finite(text.parse().ok()?, f64::is_finite))
}

/// What Rust reads beyond the text format, but for its own spellings of infinity and NaN.
fn finite<T: Copy>(value: T, is_finite: fn(T) -> bool) -> Option<T> {
    is_finite(value).then_some(value)
}

fn v128(text: &str) -> Option<u128> {
    let digits = text.strip_prefix("0x")?;
    let plain = digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    plain.then(|| u128::from_str_radix(digits, 16).ok()).flatten()
}

fn invalid(text: &str, ty: &ValType) -> Error {
    let shown: String = text.chars().take(60).collect();
    let expected = match ty {
        ValType::I32 if literal_any_width(text) => "is out of range for i32 (-2147483648 to 4294967295)".to_owned(),
        ValType::I64 if literal_any_width(text) => {
            "is out of range for i64 (-9223372036854775808 to 18446744073709551615)".to_owned()
        }
        ValType::I32 | ValType::I64 => format!("is no {ty} (an integer such as 42, -7 or 0xff)"),
        ValType::F32 | ValType::F64 => format!("is no {ty} (a number such as 1.5, -2e3, inf or nan)"),
        ValType::V128 => "is no v128 (0x and 32 hexadecimal digits)".to_owned(),
        ValType::FuncRef | ValType::ExternRef => format!("is no {ty} (only null can be passed)"),
        ValType::Ref(_) => format!("cannot be passed: wrun has no values of type {ty}"),
    };
    Error::new(ErrorKind::InvalidArgument, format!("`{shown}` {expected}"))
}

/// Whether `text` is an integer of any size.
fn literal_any_width(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (digits, is_digit): (_, fn(u8) -> bool) = match unsigned.strip_prefix("0x") {
        Some(hex) => (hex, |byte| byte.is_ascii_hexdigit()),
        None => (unsigned, |byte| byte.is_ascii_digit()),
    };
    digits.split('_').all(|group| !group.is_empty() && group.bytes().all(is_digit))
}
