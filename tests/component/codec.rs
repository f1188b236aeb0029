//! Values as JSON, MessagePack and text.

mod access;
mod any;
mod errors;
mod json;
mod limits;
mod msgpack;
mod round_trips;
mod text;

use wrun::component::encode::TypedResult;
use wrun::component::types::{Resource, TypeDef, TypeKind};
use wrun::component::{json as codec_json, msgpack as codec_msgpack, text as codec_text};
use wrun::{ErrorKind, WitFunction, WitType, WitValue};

/// Returns a record type.
fn record<const N: usize>(fields: [(&str, WitType); N]) -> WitType {
    TypeKind::Record(fields.map(|(name, ty)| (name.into(), ty)).into()).into()
}

fn list(ty: WitType) -> WitType {
    TypeKind::List(ty).into()
}

fn option(ty: WitType) -> WitType {
    TypeKind::Option(ty).into()
}

fn tuple<const N: usize>(types: [WitType; N]) -> WitType {
    TypeKind::Tuple(types.into()).into()
}

fn result(ok: Option<WitType>, err: Option<WitType>) -> WitType {
    TypeKind::Result { ok, err }.into()
}

fn variant<const N: usize>(cases: [(&str, Option<WitType>); N]) -> WitType {
    TypeKind::Variant(cases.map(|(name, ty)| (name.into(), ty)).into()).into()
}

fn enumeration<const N: usize>(names: [&str; N]) -> WitType {
    TypeKind::Enum(names.map(Into::into).into()).into()
}

fn flags<const N: usize>(names: [&str; N]) -> WitType {
    TypeKind::Flags(names.map(Into::into).into()).into()
}

fn map(key: WitType, value: WitType) -> WitType {
    TypeKind::Map(key, value).into()
}

/// Returns the type under another name, as `type name = ty` in WIT.
fn alias(name: &str, ty: &WitType) -> WitType {
    match ty {
        WitType::Defined(def) => WitType::Defined(TypeDef { name: Some(name.into()), kind: def.kind.clone() }.into()),
        primitive => primitive.clone(),
    }
}

fn resource(name: &str) -> Resource {
    Resource { name: Some(name.into()), number: 0 }
}

/// Returns `func(items: list<item>) -> u32` of a shop, with records of several types of fields.
fn total() -> WitFunction {
    let item = record([
        ("name", WitType::String),
        ("price", WitType::F64),
        ("qty", WitType::U32),
        ("tags", list(WitType::String)),
        ("note", option(WitType::String)),
    ]);
    function([("items", list(alias("item", &item)))])
}

fn function<const N: usize>(params: [(&str, WitType); N]) -> WitFunction {
    WitFunction::new(params.map(|(name, ty)| (name.into(), ty)), Some(WitType::U32), false)
}

fn from_json(document: &str, ty: &WitType) -> wrun::Result<WitValue> {
    codec_json::decode(document.as_bytes(), ty)
}

fn to_json(value: &WitValue, ty: &WitType) -> String {
    codec_json::encode_result(TypedResult::new(Some(value), Some(ty))).unwrap()
}

fn to_msgpack(value: &WitValue, ty: &WitType) -> Vec<u8> {
    codec_msgpack::encode_result(TypedResult::new(Some(value), Some(ty))).unwrap()
}

fn from_text(text: &str, ty: &WitType) -> wrun::Result<WitValue> {
    codec_text::parse(text, ty)
}

/// Checks that a document is read as `value`, and `value` written as the document.
#[track_caller]
fn is_json(ty: &WitType, document: &str, value: impl Into<WitValue>) {
    let value = value.into();
    reads_json(ty, document, value.clone());
    assert_eq!(to_json(&value, ty), document);
}

/// Checks that a document is read as `value`.
#[track_caller]
fn reads_json(ty: &WitType, document: &str, value: impl Into<WitValue>) {
    let value = value.into();
    assert_eq!(from_json(document, ty).unwrap_or_else(|error| panic!("`{document}`: {error}")), value, "`{document}`");
    wrun::component::check::check(&value, ty).unwrap();
}

/// Checks that a document is refused with this message.
#[track_caller]
fn refuses_json(ty: &WitType, document: &str, message: &str) {
    refuses(from_json(document, ty), message);
}

#[track_caller]
fn refuses<T: std::fmt::Debug>(read: wrun::Result<T>, message: &str) {
    let error = read.unwrap_err();
    assert_eq!(error.to_string(), message);
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
}
