//! The values of operations on memories, as types of the codec of components, which checks keys and ranges.

use std::sync::LazyLock;

use crate::component::types::{Name, TypeKind, WitFunction, WitType};

/// Text.
pub(super) static STRING: WitType = WitType::String;

/// A truth value.
pub(super) static BOOL: WitType = WitType::Bool;

/// Bytes: `{"base64": …}`, an array of numbers, or binary data.
pub(super) static BYTES: LazyLock<WitType> = LazyLock::new(|| TypeKind::List(WitType::U8).into());

/// The object of `write`.
pub(super) static WRITE: LazyLock<WitType> = LazyLock::new(|| {
    record(vec![
        ("offset", WitType::U64),
        ("text", option(WitType::String)),
        ("base64", option(WitType::String)),
        ("bytes", option(BYTES.clone())),
        ("memory", option(WitType::String)),
    ])
});

/// The object of `read`.
pub(super) static READ: LazyLock<WitType> = LazyLock::new(|| {
    let form = TypeKind::Enum([Name::from("base64"), Name::from("text")].into());
    record(vec![
        ("offset", WitType::U64),
        ("length", WitType::U64),
        ("as", option(form.into())),
        ("memory", option(WitType::String)),
    ])
});

/// The type of a function that returns text.
pub(super) static RETURNS_TEXT: LazyLock<WitFunction> =
    LazyLock::new(|| WitFunction::new([], Some(WitType::String), false));

/// The type of a function that returns bytes.
pub(super) static RETURNS_BYTES: LazyLock<WitFunction> =
    LazyLock::new(|| WitFunction::new([], Some(BYTES.clone()), false));

fn record(fields: Vec<(&str, WitType)>) -> WitType {
    let fields: Vec<_> = fields.into_iter().map(|(name, ty)| (Name::from(name), ty)).collect();
    TypeKind::Record(fields.into()).into()
}

fn option(ty: WitType) -> WitType {
    TypeKind::Option(ty).into()
}
