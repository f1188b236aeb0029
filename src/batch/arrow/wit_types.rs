//! The types of columns for the types of results.

use std::sync::Arc;

use arrow_schema::{DataType, Field, FieldRef, Fields};

use crate::component::types::{TypeKind, WitType};
use crate::value::types::ValType;

/// The field of an option in an option.
pub(super) const SOME: &str = "some";

/// Returns the type of a column with values of a module's type; `None` for references, which mean nothing outside their instance.
pub(super) fn of_core(ty: &ValType) -> Option<DataType> {
    Some(match ty {
        ValType::I32 => DataType::Int32,
        ValType::I64 => DataType::Int64,
        ValType::F32 => DataType::Float32,
        ValType::F64 => DataType::Float64,
        ValType::V128 => DataType::FixedSizeBinary(16),
        ValType::FuncRef | ValType::ExternRef | ValType::Ref(_) => return None,
    })
}

/// Returns a field with values of a type. An option is a nullable field.
pub(super) fn field(name: &str, ty: &WitType) -> Field {
    Field::new(name, data_type(ty), ty.is_option())
}

/// Returns the type of a column with values of a component's type:
///
/// - an option in an option is a struct with the field `some`,
/// - a tuple is a struct with the fields `0`, `1`, …,
/// - an enum is text, flags are a list of text,
/// - a variant or a result is a struct with a field for each case, of which one is not null: the payload, or `true` without one.
///
/// Types that cannot pass are `Null`; a callable has none.
pub(super) fn data_type(ty: &WitType) -> DataType {
    match ty {
        WitType::Bool => DataType::Boolean,
        WitType::S8 => DataType::Int8,
        WitType::U8 => DataType::UInt8,
        WitType::S16 => DataType::Int16,
        WitType::U16 => DataType::UInt16,
        WitType::S32 => DataType::Int32,
        WitType::U32 => DataType::UInt32,
        WitType::S64 => DataType::Int64,
        WitType::U64 => DataType::UInt64,
        WitType::F32 => DataType::Float32,
        WitType::F64 => DataType::Float64,
        WitType::Char | WitType::String | WitType::Json | WitType::StringOrInteger => DataType::Utf8,
        WitType::ErrorContext => DataType::Null,
        WitType::Defined(def) => match &def.kind {
            TypeKind::List(WitType::U8) => DataType::Binary,
            // In a column of lists of fixed size, a null takes as much memory as a list, so a few rows could exhaust it.
            TypeKind::List(ty) | TypeKind::FixedLengthList(ty, _) => DataType::List(item(ty)),
            TypeKind::Map(key, value) => {
                let fields = Fields::from(vec![field("key", key), field("value", value)]);
                DataType::Map(Arc::new(Field::new("entries", DataType::Struct(fields), false)), false)
            }
            TypeKind::Option(some) => payload(some),
            TypeKind::Record(fields) => DataType::Struct(fields.iter().map(|(name, ty)| field(name, ty)).collect()),
            TypeKind::Tuple(types) => {
                let fields = types.iter().enumerate().map(|(at, ty)| field(&at.to_string(), ty));
                DataType::Struct(fields.collect())
            }
            TypeKind::Enum(_) => DataType::Utf8,
            TypeKind::Flags(_) => DataType::List(item(&WitType::String)),
            TypeKind::Variant(cases) => {
                DataType::Struct(cases.iter().map(|(name, ty)| case(name, ty.as_ref())).collect())
            }
            TypeKind::Result { ok, err } => {
                DataType::Struct(Fields::from(vec![case("ok", ok.as_ref()), case("err", err.as_ref())]))
            }
            TypeKind::Own(_) | TypeKind::Borrow(_) | TypeKind::Stream(_) | TypeKind::Future(_) => DataType::Null,
        },
    }
}

fn item(ty: &WitType) -> FieldRef {
    Arc::new(field("item", ty))
}

fn case(name: &str, ty: Option<&WitType>) -> Field {
    Field::new(name, ty.map_or(DataType::Boolean, payload), true)
}

/// The type of a nullable field with values of a type, where null means that there is none.
fn payload(ty: &WitType) -> DataType {
    if ty.is_option() { DataType::Struct(Fields::from(vec![field(SOME, ty)])) } else { data_type(ty) }
}
