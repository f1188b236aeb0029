//! Values of columns as values of a component.

use super::column::Column;
use super::core_values::{double, single};
use crate::component::failure::{Failure, Refusal, Step};
use crate::component::types::{Name, TypeKind, WitType};
use crate::component::value::WitValue;
use crate::component::{json, scalar};
use crate::escape::Escaped;

/// Returns the value of a row, for a column that [`check`](super::check::check) accepts.
///
/// # Errors
/// A null, a number out of range, and an unknown case.
pub(super) fn value(column: &Column, row: usize, ty: &WitType) -> Result<WitValue, Failure> {
    if let Some(TypeKind::Option(some)) = ty.kind() {
        return option(column, row, some).map(|value| WitValue::Option(value.map(Box::new)));
    }
    if column.is_null(row) {
        return Err(Failure::new(format!("the value is null: expected {ty}")));
    }
    let (column, row) = column.resolve(row);
    match ty {
        WitType::Bool => match column {
            Column::Bool(array) => Ok(WitValue::Bool(array.value(row))),
            _ => Err(mismatch(ty)),
        },
        ty if scalar::is_number(ty) => number(column, row, ty),
        WitType::Char => {
            let text = column.text(row).ok_or_else(|| mismatch(ty))?;
            scalar::parse_char(text).map(WitValue::Char)
        }
        WitType::String => {
            let bytes = column.bytes(row).ok_or_else(|| mismatch(ty))?;
            let text = String::from_utf8(bytes.to_vec());
            text.map(WitValue::String).map_err(|_| Failure::new("the bytes are not UTF-8"))
        }
        WitType::Json => {
            let text = column.text(row).ok_or_else(|| mismatch(ty))?;
            json::parse(text, ty).map_err(Refusal::into_failure)
        }
        WitType::StringOrInteger => match (column.text(row), column.integer(row)) {
            (Some(text), _) => Ok(WitValue::String(text.to_owned())),
            (None, Some(integer)) => scalar::integer_of_64_bits(integer).ok_or_else(|| mismatch(ty)),
            (None, None) => Err(mismatch(ty)),
        },
        WitType::Defined(def) => defined(column, row, ty, &def.kind),
        _ => Err(mismatch(ty)),
    }
}

fn option(column: &Column, row: usize, some: &WitType) -> Result<Option<WitValue>, Failure> {
    if column.is_null(row) {
        return Ok(None);
    }
    if !some.is_option() {
        return value(column, row, some).map(Some);
    }
    match column {
        Column::Struct(_, fields) if fields.len() == 1 => value(&fields[0].1, row, some).map(Some),
        _ => Err(mismatch(some)),
    }
}

fn defined(column: &Column, row: usize, ty: &WitType, kind: &TypeKind) -> Result<WitValue, Failure> {
    match (kind, column) {
        (TypeKind::Record(types), Column::Struct(_, fields)) => {
            let field = |(name, ty): &(Name, WitType)| {
                let found = fields.iter().find(|(field, _)| field.as_str() == &**name);
                let value = found.map_or(Ok(WitValue::Option(None)), |(_, column)| value(column, row, ty));
                value.map(|value| (name.clone(), value)).map_err(|failure| failure.at(Step::Name(name.clone())))
            };
            types.iter().map(field).collect::<Result<_, _>>().map(WitValue::Record)
        }
        (TypeKind::Tuple(types), Column::Struct(_, fields)) => {
            let parts = types.iter().zip(fields);
            let part = |(ty, (name, column)): (_, &(String, Column))| {
                value(column, row, ty).map_err(|failure| failure.at(Step::Name(name.as_str().into())))
            };
            parts.map(part).collect::<Result<_, _>>().map(WitValue::Tuple)
        }
        (TypeKind::List(WitType::U8), column) if let Some(bytes) = column.bytes(row) => {
            Ok(WitValue::Bytes(bytes.to_vec()))
        }
        (TypeKind::List(ty), Column::List(nested, values)) => {
            elements(values, nested.range(row), ty).map(WitValue::List)
        }
        (TypeKind::FixedLengthList(ty, length), Column::List(nested, values)) => {
            let (start, end) = nested.range(row);
            if end - start != *length as usize {
                return Err(Failure::new(format!("the list has {} elements, not {length}", end - start)));
            }
            elements(values, (start, end), ty).map(WitValue::List)
        }
        (TypeKind::Map(key, of), Column::Map(nested, entries)) => {
            let (start, end) = nested.range(row);
            let entry = |row| Ok((value(&entries.0, row, key)?, value(&entries.1, row, of)?));
            (start..end).map(entry).collect::<Result<_, _>>().map(WitValue::Map)
        }
        (TypeKind::Enum(names), column) => case(column, row, ty, names.iter()).map(WitValue::Enum),
        (TypeKind::Flags(names), Column::List(nested, values)) => {
            let (start, end) = nested.range(row);
            let set = (start..end).map(|row| case(values, row, ty, names.iter()));
            let set = set.collect::<Result<Vec<_>, _>>()?;
            Ok(WitValue::Flags(names.iter().filter(|name| set.contains(name)).cloned().collect()))
        }
        (TypeKind::Variant(cases), Column::Struct(_, fields)) => {
            let (name, column) = chosen(fields, row)?;
            let found = cases.iter().find(|(case, _)| **case == **name);
            let (case, payload) = found.ok_or_else(|| mismatch(ty))?;
            Ok(WitValue::Variant(case.clone(), self::payload(column, row, payload.as_ref())?))
        }
        (TypeKind::Variant(cases), column) => {
            let names = cases.iter().filter(|(_, payload)| payload.is_none()).map(|(name, _)| name);
            case(column, row, ty, names).map(|name| WitValue::Variant(name, None))
        }
        (TypeKind::Result { ok, err }, Column::Struct(_, fields)) => {
            let (name, column) = chosen(fields, row)?;
            match name.as_str() {
                "ok" => Ok(WitValue::Result(Ok(payload(column, row, ok.as_ref())?))),
                _ => Ok(WitValue::Result(Err(payload(column, row, err.as_ref())?))),
            }
        }
        _ => Err(mismatch(ty)),
    }
}

/// Returns the only field with a value.
fn chosen(fields: &[(String, Column)], row: usize) -> Result<&(String, Column), Failure> {
    let mut present = fields.iter().filter(|(_, column)| !column.is_null(row));
    match (present.next(), present.next()) {
        (Some(only), None) => Ok(only),
        (None, _) => Err(Failure::new("none of the cases has a value")),
        (Some((first, _)), Some((second, _))) => {
            let message = format!("two cases have a value: `{}` and `{}`", Escaped(first), Escaped(second));
            Err(Failure::new(message))
        }
    }
}

fn payload(column: &Column, row: usize, ty: Option<&WitType>) -> Result<Option<Box<WitValue>>, Failure> {
    match (ty, column) {
        (None, _) => Ok(None),
        (Some(ty), Column::Struct(_, fields)) if ty.is_option() && fields.len() == 1 => {
            value(&fields[0].1, row, ty).map(|value| Some(Box::new(value)))
        }
        (Some(ty), column) => value(column, row, ty).map(|value| Some(Box::new(value))),
    }
}

fn elements(values: &Column, (start, end): (usize, usize), ty: &WitType) -> Result<Vec<WitValue>, Failure> {
    let element = |row| value(values, row, ty).map_err(|failure| failure.at(Step::Index(row - start)));
    (start..end).map(element).collect()
}

fn case<'n>(
    column: &Column,
    row: usize,
    ty: &WitType,
    mut names: impl Iterator<Item = &'n Name>,
) -> Result<Name, Failure> {
    let (column, row) = column.resolve(row);
    let text = column.text(row).filter(|_| !column.is_null(row)).ok_or_else(|| mismatch(ty))?;
    let found = names.find(|name| &***name == text);
    found.cloned().ok_or_else(|| Failure::new(format!("`{}` is not a case of {ty}", Escaped(text))))
}

fn number(column: &Column, row: usize, ty: &WitType) -> Result<WitValue, Failure> {
    if let Some(integer) = column.integer(row) {
        let value = scalar::from_integer(integer, ty);
        return value.ok_or_else(|| scalar::out_of_range(&integer, ty));
    }
    match (column.float(row), ty) {
        (Some(float), WitType::F32) => single(float).map(WitValue::F32).map_err(|error| Failure::new(error.message())),
        (Some(float), WitType::F64) => Ok(WitValue::F64(double(float))),
        _ => Err(mismatch(ty)),
    }
}

/// The error for a column that `check` should have refused.
fn mismatch(ty: &WitType) -> Failure {
    Failure::new(format!("the column has no values of type {ty}"))
}
