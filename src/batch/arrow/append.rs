//! Appends results to columns.

use super::builder::{Builder, StructBuilder};
use crate::component::types::{Name, TypeKind, WitType};
use crate::component::value::WitValue;
use crate::value::types::Value;

/// Appends a value of a module to the column of its type.
#[inline]
pub(super) fn core(builder: &mut Builder, value: &Value) {
    match (builder, value) {
        (Builder::Int32(builder), Value::I32(value)) => builder.append_value(*value),
        (Builder::Int64(builder), Value::I64(value)) => builder.append_value(*value),
        (Builder::Float32(builder), Value::F32(value)) => builder.append_value(*value),
        (Builder::Float64(builder), Value::F64(value)) => builder.append_value(*value),
        (Builder::FixedBinary(builder), Value::V128(value)) => {
            let appended = builder.append_value(value.to_le_bytes());
            appended.unwrap_or_else(|error| unreachable!("16 bytes: {error}"));
        }
        (builder, _) => builder.append_null(),
    }
}

/// Appends numbers of a module to the column of their type. They are in little-endian order.
pub(super) fn numbers(builder: &mut Builder, bytes: &[u8]) {
    /// Converts each `N` bytes.
    fn all<const N: usize, T>(bytes: &[u8], convert: fn([u8; N]) -> T) -> Vec<T> {
        bytes.as_chunks().0.iter().map(|number| convert(*number)).collect()
    }
    match builder {
        Builder::Int32(builder) => builder.append_slice(&all(bytes, i32::from_le_bytes)),
        Builder::Int64(builder) => builder.append_slice(&all(bytes, i64::from_le_bytes)),
        Builder::Float32(builder) => builder.append_slice(&all(bytes, f32::from_le_bytes)),
        Builder::Float64(builder) => builder.append_slice(&all(bytes, f64::from_le_bytes)),
        _ => unreachable!("no column of numbers"),
    }
}

/// Appends a value of a component to the column of its type.
pub(super) fn wit(builder: &mut Builder, value: &WitValue, ty: &WitType) {
    match (builder, value) {
        (Builder::Bool(builder), WitValue::Bool(value)) => builder.append_value(*value),
        (Builder::Int8(builder), WitValue::S8(value)) => builder.append_value(*value),
        (Builder::UInt8(builder), WitValue::U8(value)) => builder.append_value(*value),
        (Builder::Int16(builder), WitValue::S16(value)) => builder.append_value(*value),
        (Builder::UInt16(builder), WitValue::U16(value)) => builder.append_value(*value),
        (Builder::Int32(builder), WitValue::S32(value)) => builder.append_value(*value),
        (Builder::UInt32(builder), WitValue::U32(value)) => builder.append_value(*value),
        (Builder::Int64(builder), WitValue::S64(value)) => builder.append_value(*value),
        (Builder::UInt64(builder), WitValue::U64(value)) => builder.append_value(*value),
        (Builder::Float32(builder), WitValue::F32(value)) => builder.append_value(*value),
        (Builder::Float64(builder), WitValue::F64(value)) => builder.append_value(*value),
        (Builder::Utf8(builder), WitValue::Char(value)) => builder.append_value(value.encode_utf8(&mut [0; 4])),
        (Builder::Utf8(builder), WitValue::String(value)) => builder.append_value(value),
        (Builder::Utf8(builder), WitValue::Enum(name)) => builder.append_value(name),
        (Builder::Binary(builder), WitValue::Bytes(value)) => builder.append_value(value),
        (builder, value) => compound(builder, value, ty),
    }
}

fn compound(builder: &mut Builder, value: &WitValue, ty: &WitType) {
    match (builder, value, ty.kind()) {
        (builder, WitValue::Option(value), Some(TypeKind::Option(some))) => match value {
            Some(value) => payload(builder, value, some),
            None => builder.append_null(),
        },
        (Builder::List(list), WitValue::List(values), Some(TypeKind::List(of) | TypeKind::FixedLengthList(of, _))) => {
            for value in values {
                wit(&mut list.values, value, of);
            }
            list.end(values.len(), true);
        }
        (Builder::List(list), WitValue::Flags(names), _) => {
            let names = names.iter().map(|name| WitValue::String(name.to_string()));
            let count = names.map(|name| wit(&mut list.values, &name, &WitType::String)).count();
            list.end(count, true);
        }
        (Builder::List(list), WitValue::Map(entries), Some(TypeKind::Map(key, of))) => {
            for (name, value) in entries {
                if let Builder::Struct(StructBuilder { nulls, columns, .. }) = &mut list.values
                    && let [keys, values] = columns.as_mut_slice()
                {
                    wit(keys, name, key);
                    wit(values, value, of);
                    nulls.append_non_null();
                }
            }
            list.end(entries.len(), true);
        }
        (Builder::Struct(parts), WitValue::Record(fields), Some(TypeKind::Record(types))) => {
            let columns = parts.columns.iter_mut().zip(fields).zip(types);
            columns.for_each(|((column, (_, value)), (_, ty))| wit(column, value, ty));
            parts.nulls.append_non_null();
        }
        (Builder::Struct(parts), WitValue::Tuple(values), Some(TypeKind::Tuple(types))) => {
            let columns = parts.columns.iter_mut().zip(values).zip(types);
            columns.for_each(|((column, value), ty)| wit(column, value, ty));
            parts.nulls.append_non_null();
        }
        (Builder::Struct(parts), WitValue::Variant(name, value), Some(TypeKind::Variant(cases))) => {
            let chosen = cases.iter().position(|(case, _)| case == name);
            case(parts, chosen, value.as_deref(), |at| cases[at].1.as_ref());
        }
        (Builder::Struct(parts), WitValue::Result(value), Some(TypeKind::Result { ok, err })) => match value {
            Ok(value) => case(parts, Some(0), value.as_deref(), |_| ok.as_ref()),
            Err(value) => case(parts, Some(1), value.as_deref(), |_| err.as_ref()),
        },
        // The engine checked the value against the type, which determines the column.
        (builder, _, _) => builder.append_null(),
    }
}

/// Appends the payload of a case, or `true`, to its column, and nulls to all others.
fn case<'t>(
    parts: &mut StructBuilder,
    chosen: Option<usize>,
    value: Option<&WitValue>,
    ty: impl Fn(usize) -> Option<&'t WitType>,
) {
    for (at, column) in parts.columns.iter_mut().enumerate() {
        match (chosen == Some(at), value, ty(at)) {
            (true, Some(value), Some(ty)) => payload(column, value, ty),
            (true, ..) => wit(column, &WitValue::Bool(true), &WitType::Bool),
            (false, ..) => column.append_null(),
        }
    }
    parts.nulls.append_non_null();
}

/// Appends a value to a column where null means that there is none.
fn payload(builder: &mut Builder, value: &WitValue, ty: &WitType) {
    match builder {
        Builder::Struct(StructBuilder { nulls, columns, .. }) if ty.is_option() => {
            for column in columns {
                wit(column, value, ty);
            }
            nulls.append_non_null();
        }
        builder => wit(builder, value, ty),
    }
}

/// Returns about how much a value adds to its columns, at least the number of bytes and of elements in any of them.
pub(super) fn weight(value: &WitValue) -> usize {
    let field = |(_, value): &(Name, WitValue)| weight(value);
    match value {
        WitValue::String(text) => text.len() + 4,
        WitValue::Bytes(bytes) => bytes.len() + 4,
        WitValue::List(values) | WitValue::Tuple(values) => 4 + values.iter().map(weight).sum::<usize>(),
        WitValue::Map(entries) => 4 + entries.iter().map(|(key, of)| weight(key) + weight(of)).sum::<usize>(),
        WitValue::Record(fields) => 1 + fields.iter().map(field).sum::<usize>(),
        WitValue::Enum(name) => name.len() + 4,
        WitValue::Flags(names) => 4 + names.iter().map(|name| name.len() + 4).sum::<usize>(),
        WitValue::Variant(_, Some(value))
        | WitValue::Option(Some(value))
        | WitValue::Result(Ok(Some(value)) | Err(Some(value))) => 1 + weight(value),
        _ => 8,
    }
}
