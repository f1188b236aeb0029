//! Values as text, guided by their type: the literals of the WebAssembly text format (read by the `wast` crate) and, for
//! floats, also Rust's (`.5`, `5.`).

use std::fmt;

use wast::parser::{self, Parse, ParseBuffer};
use wast::token::{F32, F64};

use crate::error::{Error, ErrorKind, Result};
use crate::escape::Escaped;
use crate::value::types::{ValType, Value};

/// Parses one value of type `ty`.
///
/// Integers are decimal or hexadecimal (`0x`), in the signed or the unsigned range, with `_` allowed between digits. Floats
/// are decimal, hexadecimal, `inf`, `nan` or `nan:0x…`, with an optional sign. A `v128` is `0x` and 32 hexadecimal digits.
/// References are `null`.
///
/// # Errors
/// Returns [`ErrorKind::InvalidArgument`] if `text` is not a value of type `ty` or is out of range.
pub fn parse(text: &str, ty: &ValType) -> Result<Value> {
    let value = match ty {
        ValType::I32 => text.parse().ok().or_else(|| literal(text)).map(Value::I32),
        ValType::I64 => text.parse().ok().or_else(|| literal(text)).map(Value::I64),
        ValType::F32 => float32(text).map(Value::F32),
        ValType::F64 => float64(text).map(Value::F64),
        ValType::V128 => v128(text).map(Value::V128),
        ValType::FuncRef => (text == "null").then_some(Value::FuncRef(None)),
        ValType::ExternRef => (text == "null").then_some(Value::ExternRef(None)),
        ValType::Ref(_) => None,
    };
    value.ok_or_else(|| invalid(text, ty))
}

/// Formats a value so that [`parse`] reads back the same bits: decimal integers, the shortest decimal that identifies a float
/// of its width, `inf`, `nan`, `nan:0x…`, `0x…` for `v128`, `null`. A reference that is not null is `funcref:n` or
/// `externref:n`, which [`parse`] does not accept.
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

/// Formats as [`format()`] does.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format(self))
    }
}

/// Formats a 32-bit infinity or NaN; returns `None` for a finite number.
#[must_use]
pub fn non_finite_f32(v: f32) -> Option<String> {
    let payload = u64::from(v.to_bits() & 0x007f_ffff);
    non_finite(v.is_sign_negative(), v.is_infinite(), v.is_nan(), payload, 0x0040_0000)
}

/// Formats a 64-bit infinity or NaN; returns `None` for a finite number.
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

/// Formats a finite float as JSON does: the shortest decimal that reads back as the same number.
fn shortest<T: serde::Serialize>(number: &T) -> String {
    serde_json::to_string(number).unwrap_or_else(|_| unreachable!("a finite float is a JSON number"))
}

/// Parses one token of the text format. White space and comments, which its lexer would skip, are not allowed.
fn literal<T: for<'a> Parse<'a>>(text: &str) -> Option<T> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"+-._:".contains(&byte);
    if !text.bytes().all(is_allowed) {
        return None;
    }
    let buffer = ParseBuffer::new(text).ok()?;
    parser::parse::<T>(&buffer).ok()
}

/// Parses a float. Rust's parser is the faster one, but it also accepts numbers out of range, as infinity, and other spellings of
/// infinity and NaN, so only its finite numbers are used.
fn float32(text: &str) -> Option<f32> {
    let number = text.parse().ok().filter(|v: &f32| v.is_finite());
    number.or_else(|| literal::<F32>(text).map(|v| f32::from_bits(v.bits)))
}

/// As [`float32`].
fn float64(text: &str) -> Option<f64> {
    let number = text.parse().ok().filter(|v: &f64| v.is_finite());
    number.or_else(|| literal::<F64>(text).map(|v| f64::from_bits(v.bits)))
}

fn v128(text: &str) -> Option<u128> {
    let digits = text.strip_prefix("0x")?;
    let is_valid = digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_valid.then(|| u128::from_str_radix(digits, 16).ok()).flatten()
}

/// The error for a `text` that is not a value of type `ty`.
pub(crate) fn invalid(text: &str, ty: &ValType) -> Error {
    let shown = Escaped(text);
    let message = match ty {
        ValType::I32 if is_number(text, false) => {
            format!("`{shown}` is out of range for i32 (-2147483648 to 4294967295)")
        }
        ValType::I64 if is_number(text, false) => {
            format!("`{shown}` is out of range for i64 (-9223372036854775808 to 18446744073709551615)")
        }
        ValType::F32 | ValType::F64 if is_number(text, true) => format!("`{shown}` is out of range for {ty}"),
        ValType::I32 | ValType::I64 => format!("invalid {ty} `{shown}`: expected an integer such as 42, -7 or 0xff"),
        ValType::F32 | ValType::F64 => {
            format!("invalid {ty} `{shown}`: expected a number such as 1.5, -2e3, inf or nan")
        }
        ValType::V128 => format!("invalid v128 `{shown}`: expected 0x and 32 hexadecimal digits"),
        ValType::FuncRef | ValType::ExternRef => format!("invalid {ty} `{shown}`: only null can be passed"),
        ValType::Ref(_) => format!("values of type {ty} cannot pass between host and guest"),
    };
    Error::new(ErrorKind::InvalidArgument, message)
}

/// `text` without its sign.
fn unsigned(text: &str) -> &str {
    text.strip_prefix(['-', '+']).unwrap_or(text)
}

/// Whether `text` is an integer of any size or, if `fraction` is set, a number that may have a fraction and an exponent.
pub(crate) fn is_number(text: &str, fraction: bool) -> bool {
    let digits = |text: &str, is_digit: fn(&u8) -> bool| {
        text.split('_').all(|group| !group.is_empty() && group.as_bytes().iter().all(is_digit))
    };
    let number = unsigned(text);
    let (number, is_digit, exponent_mark): (_, fn(&u8) -> bool, _) = match number.strip_prefix("0x") {
        Some(hex) => (hex, u8::is_ascii_hexdigit, ['p', 'P']),
        None => (number, u8::is_ascii_digit, ['e', 'E']),
    };
    if !fraction {
        return digits(number, is_digit);
    }
    let (mantissa, exponent) = number.split_once(exponent_mark).unwrap_or((number, "0"));
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let is_mantissa = digits(whole, is_digit) && (part.is_empty() || digits(part, is_digit));
    is_mantissa && digits(unsigned(exponent), u8::is_ascii_digit)
}
