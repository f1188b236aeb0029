//! Values of columns as values of a module.

use arrow_array::Array as _;
use arrow_schema::DataType;

use super::column::{Column, Float};
use super::unsupported::unsupported;
use crate::error::{Error, ErrorKind, Result};
use crate::value::text;
use crate::value::types::{ValType, Value};

/// Checks that the values of a column can have a type, except for their range.
///
/// # Errors
/// The reason if not.
pub(super) fn check(data: &DataType, ty: &ValType) -> Result<(), String> {
    match (data, ty) {
        (DataType::Dictionary(_, values), _) => check(values, ty),
        (data, ValType::I32 | ValType::I64) if data.is_integer() => Ok(()),
        (data, ValType::F32 | ValType::F64) if data.is_integer() || data.is_floating() => Ok(()),
        (DataType::FixedSizeBinary(16), ValType::V128) | (DataType::Null, ValType::FuncRef | ValType::ExternRef) => {
            Ok(())
        }
        _ => Err(unsupported(data).unwrap_or_else(|| format!("values of type {data} cannot be passed as {ty}"))),
    }
}

/// Appends the value of a row, for a column that [`check`] accepts. Integers may be in the signed or the unsigned range.
///
/// # Errors
/// [`ErrorKind::InvalidArgument`] for a null and a number out of range.
#[inline]
pub(super) fn push(column: &Column, row: usize, ty: &ValType, values: &mut Vec<Value>) -> Result<()> {
    match (column, ty) {
        (Column::Int32(array), ValType::I32) if array.is_valid(row) => values.push(Value::I32(array.value(row))),
        (Column::Int64(array), ValType::I64) if array.is_valid(row) => values.push(Value::I64(array.value(row))),
        (Column::Float32(array), ValType::F32) if array.is_valid(row) => values.push(Value::F32(array.value(row))),
        (Column::Float64(array), ValType::F64) if array.is_valid(row) => values.push(Value::F64(array.value(row))),
        _ if column.is_null(row) => values.push(null(ty)?),
        _ => values.push(convert(column, row, ty)?),
    }
    Ok(())
}

fn convert(column: &Column, row: usize, ty: &ValType) -> Result<Value> {
    let (column, row) = column.resolve(row);
    if let Some(integer) = column.integer(row) {
        return Value::from_integer(integer, ty).ok_or_else(|| text::invalid(&integer.to_string(), ty));
    }
    if let Some(float) = column.float(row) {
        return match ty {
            ValType::F32 => single(float).map(Value::F32),
            _ => Ok(Value::F64(double(float))),
        };
    }
    match column.bytes(row).and_then(|bytes| bytes.try_into().ok()) {
        Some(bytes) => Ok(Value::V128(u128::from_le_bytes(bytes))),
        None => Err(text::invalid("", ty)),
    }
}

/// Rounds a float to 32 bits, but a finite number never to infinity.
///
/// # Errors
/// [`ErrorKind::InvalidArgument`] if it is out of range.
#[expect(clippy::cast_possible_truncation, reason = "a float is rounded to the parameter's width")]
pub(super) fn single(float: Float) -> Result<f32> {
    match float {
        Float::Single(value) => Ok(value),
        Float::Double(value) if value.is_finite() && (value as f32).is_infinite() => {
            Err(Error::new(ErrorKind::InvalidArgument, format!("`{value:e}` is out of range for f32")))
        }
        Float::Double(value) => Ok(value as f32),
    }
}

pub(super) fn double(float: Float) -> f64 {
    match float {
        Float::Single(value) => value.into(),
        Float::Double(value) => value,
    }
}

#[cold]
fn null(ty: &ValType) -> Result<Value> {
    match ty {
        ValType::FuncRef => Ok(Value::FuncRef(None)),
        ValType::ExternRef => Ok(Value::ExternRef(None)),
        ty => Err(Error::new(ErrorKind::InvalidArgument, format!("the value is null: expected {ty}"))),
    }
}
