//! Values of primitive types from text: numbers as core modules take them, in the range of their type.

use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::component::failure::Failure;
use crate::component::types::WitType;
use crate::component::value::WitValue;
use crate::escape::Escaped;
use crate::value::text;
use crate::value::types::{ValType, Value};

/// Whether values of this type are numbers.
pub(crate) fn is_number(ty: &WitType) -> bool {
    is_integer(ty) || matches!(ty, WitType::F32 | WitType::F64)
}

fn is_integer(ty: &WitType) -> bool {
    use WitType::{S8, S16, S32, S64, U8, U16, U32, U64};
    matches!(ty, S8 | U8 | S16 | U16 | S32 | U32 | S64 | U64)
}

/// Parses a number: a decimal or hexadecimal integer (`0x`, `_` between digits), a float as in core modules.
pub(crate) fn parse_number(text: &str, ty: &WitType) -> Result<WitValue, Failure> {
    let value = match ty {
        WitType::S8 => integer(text).map(WitValue::S8),
        WitType::U8 => integer(text).map(WitValue::U8),
        WitType::S16 => integer(text).map(WitValue::S16),
        WitType::U16 => integer(text).map(WitValue::U16),
        WitType::S32 => integer(text).map(WitValue::S32),
        WitType::U32 => integer(text).map(WitValue::U32),
        WitType::S64 => integer(text).map(WitValue::S64),
        WitType::U64 => integer(text).map(WitValue::U64),
        WitType::F32 => float(text, &ValType::F32),
        WitType::F64 => float(text, &ValType::F64),
        _ => None,
    };
    value.ok_or_else(|| invalid(text, ty))
}

/// Formats a value of a primitive type; `None` for other values. Numbers are spelled as [`parse_number`] reads them.
pub(crate) fn format(value: &WitValue) -> Option<String> {
    Some(match value {
        WitValue::Bool(v) => v.to_string(),
        WitValue::S8(v) => v.to_string(),
        WitValue::U8(v) => v.to_string(),
        WitValue::S16(v) => v.to_string(),
        WitValue::U16(v) => v.to_string(),
        WitValue::S32(v) => v.to_string(),
        WitValue::U32(v) => v.to_string(),
        WitValue::S64(v) => v.to_string(),
        WitValue::U64(v) => v.to_string(),
        WitValue::F32(v) => text::format(&Value::F32(*v)),
        WitValue::F64(v) => text::format(&Value::F64(*v)),
        WitValue::Char(v) => v.to_string(),
        WitValue::String(v) => v.clone(),
        _ => return None,
    })
}

/// Converts an integer of a binary format.
pub(crate) fn from_integer(value: i128, ty: &WitType) -> Option<WitValue> {
    #[expect(clippy::cast_precision_loss, reason = "an integer for a float is rounded to the nearest")]
    Some(match ty {
        WitType::S8 => WitValue::S8(value.try_into().ok()?),
        WitType::U8 => WitValue::U8(value.try_into().ok()?),
        WitType::S16 => WitValue::S16(value.try_into().ok()?),
        WitType::U16 => WitValue::U16(value.try_into().ok()?),
        WitType::S32 => WitValue::S32(value.try_into().ok()?),
        WitType::U32 => WitValue::U32(value.try_into().ok()?),
        WitType::S64 => WitValue::S64(value.try_into().ok()?),
        WitType::U64 => WitValue::U64(value.try_into().ok()?),
        WitType::F32 => WitValue::F32(value as f32),
        WitType::F64 => WitValue::F64(value as f64),
        _ => return None,
    })
}

/// Converts a float64 of a binary format. For an f32 it is rounded to the nearest, but a finite number never to infinity.
pub(crate) fn from_float(value: f64, ty: &WitType) -> Option<WitValue> {
    #[expect(clippy::cast_possible_truncation, reason = "a float64 is rounded to the parameter's width")]
    let single = value as f32;
    match ty {
        WitType::F32 if single.is_infinite() && value.is_finite() => None,
        WitType::F32 => Some(WitValue::F32(single)),
        WitType::F64 => Some(WitValue::F64(value)),
        _ => None,
    }
}

/// Parses a string that must have one character.
pub(crate) fn parse_char(text: &str) -> Result<char, Failure> {
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => Err(Failure::new("expected one character, found an empty string")),
        (Some(_), Some(_)) => {
            let shown = Escaped(text);
            Err(Failure::new(format!("expected one character, found {} in `{shown}`", text.chars().count())))
        }
    }
}

/// Decodes bytes in base64.
pub(crate) fn parse_base64(text: &str) -> Result<Vec<u8>, Failure> {
    STANDARD.decode(text).map_err(|error| {
        let reason = error.to_string().to_lowercase();
        Failure::new(format!("invalid base64: {}", reason.trim_end_matches('.')))
    })
}

/// The failure for a `text` that is not a number of type `ty`.
fn invalid(text: &str, ty: &WitType) -> Failure {
    let shown = Escaped(text);
    if text::is_number(text, !is_integer(ty)) {
        return out_of_range(&shown, ty);
    }
    let expected = match ty {
        WitType::F32 | WitType::F64 => "a number such as 1.5, -2e3, inf or nan",
        WitType::U8 | WitType::U16 | WitType::U32 | WitType::U64 => "an integer such as 42 or 0xff",
        _ => "an integer such as 42, -7 or 0xff",
    };
    Failure::new(format!("invalid {ty} `{shown}`: expected {expected}"))
}

/// The failure for a number that is not in the range of its type.
pub(crate) fn out_of_range(number: &dyn std::fmt::Display, ty: &WitType) -> Failure {
    let range = match ty {
        WitType::S8 => " (-128 to 127)",
        WitType::U8 => " (0 to 255)",
        WitType::S16 => " (-32768 to 32767)",
        WitType::U16 => " (0 to 65535)",
        WitType::S32 => " (-2147483648 to 2147483647)",
        WitType::U32 => " (0 to 4294967295)",
        WitType::S64 => " (-9223372036854775808 to 9223372036854775807)",
        WitType::U64 => " (0 to 18446744073709551615)",
        _ => "",
    };
    Failure::new(format!("{number} is out of range for {ty}{range}"))
}

fn integer<T: FromStr + TryFrom<i128>>(text: &str) -> Option<T> {
    text.parse().ok().or_else(|| T::try_from(wide_integer(text)?).ok())
}

/// Returns an integer as a value of type [`WitType::StringOrInteger`], if it has at most 64 bits.
pub(crate) fn integer_of_64_bits(value: i128) -> Option<WitValue> {
    i64::try_from(value).map(WitValue::S64).or_else(|_| u64::try_from(value).map(WitValue::U64)).ok()
}

/// Parses an integer in the syntax of core modules.
pub(crate) fn wide_integer(text: &str) -> Option<i128> {
    if !text::is_number(text, false) {
        return None;
    }
    let plain = text.replace('_', "");
    let (sign, digits) = plain.strip_prefix('-').map_or((1, plain.trim_start_matches('+')), |digits| (-1, digits));
    let parsed = match digits.strip_prefix("0x") {
        Some(hex) => i128::from_str_radix(hex, 16),
        None => digits.parse(),
    };
    Some(sign * parsed.ok()?)
}

/// Parses a float in the syntax of core modules.
fn float(text: &str, ty: &ValType) -> Option<WitValue> {
    match text::parse(text, ty).ok()? {
        Value::F32(v) => Some(WitValue::F32(v)),
        Value::F64(v) => Some(WitValue::F64(v)),
        _ => None,
    }
}
