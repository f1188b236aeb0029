//! Values as JSON, guided by the signature. Numbers are parsed from their text, not through a float of another width, so 64-bit
//! integers are exact and an f32 is rounded once.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::{Error, ErrorKind, Result};
use crate::escape::Escaped;
use crate::value::args::{count, numbered};
pub(crate) use crate::value::json_args::Args;
use crate::value::json_integers;
use crate::value::serial::Results;
use crate::value::text;
use crate::value::types::{FuncType, ValType, Value};

/// Decodes the arguments of a function of type `ty`: a JSON array, or a bare value for a function with one parameter.
///
/// # Errors
/// Returns [`ErrorKind::InvalidArgument`] if `bytes` is not UTF-8, not one JSON value, or does not match the signature.
pub fn decode_args(bytes: &[u8], ty: &FuncType) -> Result<Vec<Value>> {
    let invalid = |reason: &dyn std::fmt::Display| {
        Error::new(ErrorKind::InvalidArgument, format!("the arguments are not valid JSON: {reason}"))
    };
    let document = std::str::from_utf8(bytes).map_err(|error| invalid(&error))?;
    if document.trim().is_empty() {
        return Err(Error::new(ErrorKind::InvalidArgument, "no arguments: the input is empty"));
    }
    let whole: &RawValue = serde_json::from_str(document).map_err(|error| invalid(&error))?;
    if !whole.get().starts_with('[') {
        if let [only] = ty.params() {
            return decode(whole, only).map(|value| vec![value]).map_err(|error| numbered(error, 0, only));
        }
        let message = format!("expected a JSON array of {} values", ty.params().len());
        return Err(Error::new(ErrorKind::InvalidArgument, message));
    }
    let elements: Vec<&RawValue> = serde_json::from_str(whole.get()).map_err(|error| invalid(&error))?;
    count(elements.len(), ty)?;
    let decoded = elements.iter().zip(ty.params()).enumerate();
    decoded.map(|(at, (raw, ty))| decode(raw, ty).map_err(|error| numbered(error, at, ty))).collect()
}

/// As [`decode_args`], into values of an earlier call. Allocates nothing for numbers.
///
/// # Errors
/// Those of [`decode_args`].
#[inline]
pub fn decode_args_into(bytes: &[u8], ty: &FuncType, values: &mut Vec<Value>) -> Result<()> {
    if json_integers::read(bytes, ty, values).is_none() && Args::new(ty, values).read(bytes).is_none() {
        *values = decode_args(bytes, ty)?;
    }
    Ok(())
}

/// Encodes the results of a call on one line: `null` for none, a value for one, an array for several.
#[must_use]
pub fn encode_results(values: &[Value]) -> String {
    serde_json::to_string(&Results(values)).unwrap_or_else(|_| unreachable!("every value has a JSON spelling"))
}

fn decode(raw: &RawValue, ty: &ValType) -> Result<Value> {
    let raw = raw.get();
    match raw.as_bytes().first() {
        Some(b'"') => {
            let string: String =
                serde_json::from_str(raw).map_err(|error| text::invalid(raw, ty).with_source(error))?;
            text::parse(&string, ty)
        }
        Some(b'{') if *ty == ValType::V128 => lanes(raw),
        Some(b'n') if !matches!(ty, ValType::FuncRef | ValType::ExternRef) => Err(text::invalid(raw, ty)),
        Some(b'{' | b'[' | b't' | b'f') => Err(text::invalid(raw, ty)),
        _ => text::parse(raw, ty),
    }
}

/// The lanes of a `v128`, by shape.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
enum Lanes<'a> {
    #[serde(rename = "i8x16", borrow)]
    I8x16([&'a RawValue; 16]),
    #[serde(rename = "i16x8", borrow)]
    I16x8([&'a RawValue; 8]),
    #[serde(rename = "i32x4", borrow)]
    I32x4([&'a RawValue; 4]),
    #[serde(rename = "i64x2", borrow)]
    I64x2([&'a RawValue; 2]),
    #[serde(rename = "f32x4", borrow)]
    F32x4([&'a RawValue; 4]),
    #[serde(rename = "f64x2", borrow)]
    F64x2([&'a RawValue; 2]),
}

fn lanes(raw: &str) -> Result<Value> {
    let shape: Lanes<'_> = serde_json::from_str(raw).map_err(|error| {
        let shapes = "i8x16, i16x8, i32x4, i64x2, f32x4 or f64x2";
        let shown = Escaped(raw);
        let message = format!(r#"invalid v128 `{shown}`: expected lanes such as {{"i32x4":[1,2,3,4]}} ({shapes})"#);
        Error::new(ErrorKind::InvalidArgument, message).with_source(error)
    })?;
    let bits = match &shape {
        Lanes::I8x16(lanes) => pack(lanes, &ValType::I32, 8),
        Lanes::I16x8(lanes) => pack(lanes, &ValType::I32, 16),
        Lanes::I32x4(lanes) => pack(lanes, &ValType::I32, 32),
        Lanes::I64x2(lanes) => pack(lanes, &ValType::I64, 64),
        Lanes::F32x4(lanes) => pack(lanes, &ValType::F32, 32),
        Lanes::F64x2(lanes) => pack(lanes, &ValType::F64, 64),
    }?;
    Ok(Value::V128(bits))
}

fn pack(lanes: &[&RawValue], ty: &ValType, width: u32) -> Result<u128> {
    let mut bits = 0;
    for (lane, raw) in lanes.iter().enumerate() {
        let value = match decode(raw, ty)? {
            Value::I32(_) if width < 32 => narrow(decode(raw, &ValType::I64)?, width)?,
            Value::I32(v) => u64::from(v.cast_unsigned()),
            Value::I64(v) => v.cast_unsigned(),
            Value::F32(v) => u64::from(v.to_bits()),
            Value::F64(v) => v.to_bits(),
            other => unreachable!("a lane is a number, not {other:?}"),
        };
        bits |= u128::from(value) << (lane * width as usize);
    }
    Ok(bits)
}

/// Returns the low `width` bits of a lane in its signed or unsigned range. The value was decoded as an i64, since an i32 of
/// 4294967295 would be taken for -1.
fn narrow(value: Value, width: u32) -> Result<u64> {
    let (min, max) = (-(1 << (width - 1)), (1 << width) - 1);
    match value {
        Value::I64(v) if (min..=max).contains(&v) => Ok((v & max).cast_unsigned()),
        other => {
            let message = format!("`{other}` is out of range for an i{width} lane ({min} to {max})");
            Err(Error::new(ErrorKind::InvalidArgument, message))
        }
    }
}
