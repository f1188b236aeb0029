//! Which columns can be arguments of which types.

use arrow_schema::{DataType, FieldRef, Fields};

use super::unsupported::unsupported;
use crate::component::similar::most_similar;
use crate::component::types::{Name, TypeKind, WitType};
use crate::escape::Escaped;

/// Checks that the values of a column can have a type, except for their range and for nulls.
///
/// # Errors
/// The reason if not. It begins with the path into the type.
pub(super) fn check(data: &DataType, ty: &WitType) -> Result<(), String> {
    if let DataType::Dictionary(_, values) = data {
        return check(values, ty);
    }
    let is_binary = |data: &DataType| {
        matches!(data, DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_))
    };
    let fits = match ty {
        WitType::Bool => *data == DataType::Boolean,
        WitType::S8
        | WitType::U8
        | WitType::S16
        | WitType::U16
        | WitType::S32
        | WitType::U32
        | WitType::S64
        | WitType::U64 => data.is_integer(),
        WitType::F32 | WitType::F64 => data.is_integer() || data.is_floating(),
        WitType::Char | WitType::Json => is_text(data),
        WitType::StringOrInteger => is_text(data) || data.is_integer(),
        WitType::String => is_text(data) || is_binary(data),
        WitType::ErrorContext => false,
        WitType::Defined(def) => match (&def.kind, data) {
            (TypeKind::Option(_), DataType::Null) => true,
            (TypeKind::Option(some), data) if some.is_option() => return wrapped(data, ty, some),
            (TypeKind::Option(some), data) => return check(data, some),
            (TypeKind::List(WitType::U8), data) if is_text(data) || is_binary(data) => true,
            (TypeKind::List(of) | TypeKind::FixedLengthList(of, _), data) => match element(data) {
                Some(item) => return check(item.data_type(), of).map_err(|reason| format!("[]: {reason}")),
                None => false,
            },
            (TypeKind::Map(key, value), DataType::Map(entries, _)) => match entries.data_type() {
                DataType::Struct(fields) if fields.len() == 2 => {
                    check(fields[0].data_type(), key).map_err(|reason| format!("key: {reason}"))?;
                    return check(fields[1].data_type(), value).map_err(|reason| format!("value: {reason}"));
                }
                _ => false,
            },
            (TypeKind::Record(types), DataType::Struct(fields)) => return record(fields, types),
            (TypeKind::Tuple(types), DataType::Struct(fields)) => {
                if fields.len() != types.len() {
                    return Err(format!("a struct with {} fields cannot be passed as {ty}", fields.len()));
                }
                let mut parts = fields.iter().zip(types);
                return parts.try_for_each(|(field, ty)| in_field(field, check(field.data_type(), ty)));
            }
            (TypeKind::Flags(_), data) => element(data).is_some_and(|item| is_text(item.data_type())),
            (TypeKind::Variant(cases), DataType::Struct(fields)) => return self::cases(fields, cases),
            (TypeKind::Variant(_) | TypeKind::Enum(_), data) => is_text(data),
            (TypeKind::Result { ok, err }, DataType::Struct(fields)) => {
                return cases(fields, &[(Name::from("ok"), ok.clone()), (Name::from("err"), err.clone())]);
            }
            _ => false,
        },
    };
    if fits {
        return Ok(());
    }
    Err(unsupported(data).unwrap_or_else(|| format!("values of type {data} cannot be passed as {ty}")))
}

/// Returns whether a column of this type has text, also as a dictionary.
pub(super) fn is_text(data: &DataType) -> bool {
    match data {
        DataType::Dictionary(_, values) => is_text(values),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        _ => false,
    }
}

fn element(data: &DataType) -> Option<&FieldRef> {
    match data {
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => Some(item),
        _ => None,
    }
}

fn record(fields: &Fields, types: &[(Name, WitType)]) -> Result<(), String> {
    for (name, ty) in types {
        let mut found = fields.iter().filter(|field| field.name().as_str() == &**name);
        match (found.next(), found.next()) {
            (Some(_), Some(_)) => return Err(format!("the field `{}` appears twice", Escaped(name))),
            (Some(field), None) => in_field(field, check(field.data_type(), ty))?,
            (None, _) if ty.is_option() => {}
            (None, _) => return Err(format!("the field `{}` is missing", Escaped(name))),
        }
    }
    known(fields, &types.iter().map(|(name, _)| name))
}

fn cases(fields: &Fields, cases: &[(Name, Option<WitType>)]) -> Result<(), String> {
    known(fields, &cases.iter().map(|(name, _)| name))?;
    for field in fields {
        if let Some((_, Some(ty))) = cases.iter().find(|(name, _)| &**name == field.name().as_str()) {
            let checked =
                if ty.is_option() { wrapped(field.data_type(), ty, ty) } else { check(field.data_type(), ty) };
            in_field(field, checked)?;
        }
    }
    Ok(())
}

/// Checks a struct with one field, whose value may be null.
fn wrapped(data: &DataType, ty: &WitType, of: &WitType) -> Result<(), String> {
    match data {
        DataType::Struct(fields) if fields.len() == 1 => in_field(&fields[0], check(fields[0].data_type(), of)),
        _ => Err(format!("values of type {data} cannot be passed as {ty}: expected a struct with the field `some`")),
    }
}

fn known<'n>(fields: &Fields, names: &(impl Iterator<Item = &'n Name> + Clone)) -> Result<(), String> {
    let unknown = fields.iter().find(|field| names.clone().all(|name| &**name != field.name().as_str()));
    unknown.map_or(Ok(()), |field| {
        let similar = most_similar(field.name(), names.clone().map(|name| &**name));
        let suggestion = similar.map_or(String::new(), |similar| format!(": did you mean `{}`?", Escaped(similar)));
        Err(format!("unknown field `{}`{suggestion}", Escaped(field.name())))
    })
}

fn in_field(field: &FieldRef, checked: Result<(), String>) -> Result<(), String> {
    checked.map_err(|reason| format!("{}: {reason}", Escaped(field.name())))
}
