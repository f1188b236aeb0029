//! Decodes one value, guided by its type, from JSON and MessagePack alike.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::component::clipped::Clipped;
use crate::component::context::Context;
use crate::component::failure::{Failure, MAX_DEPTH};
use crate::component::labels::listed;
use crate::component::scalar;
use crate::component::types::{TypeKind, WitType};
use crate::component::value::WitValue;
use crate::escape::Escaped;
use crate::value::any::AnyValue;
use crate::value::json_text::JsonText;

/// Decodes a value of a type. A value that does not fit leaves its failure in the context.
#[derive(Clone, Copy)]
pub(crate) struct Typed<'t> {
    pub(crate) ty: &'t WitType,
    pub(crate) context: &'t Context,
    depth: usize,
}

impl<'t> Typed<'t> {
    pub(crate) fn new(ty: &'t WitType, context: &'t Context) -> Self {
        Self { ty, context, depth: 0 }
    }

    /// Decodes a part of this value.
    pub(crate) fn part(self, ty: &'t WitType) -> Self {
        Self { ty, depth: self.depth + 1, ..self }
    }

    pub(crate) fn fail<T, E: de::Error>(self, failure: Failure) -> Result<T, E> {
        Err(self.context.fail(failure))
    }

    pub(crate) fn check<T, E: de::Error>(self, result: Result<T, Failure>) -> Result<T, E> {
        result.map_err(|failure| self.context.fail(failure))
    }

    /// The error for a value of another kind.
    pub(crate) fn mismatch<T, E: de::Error>(self, found: &str) -> Result<T, E> {
        self.fail(mismatch(self.ty, found))
    }

    /// A number in the spelling of JSON, where a string holds the text form.
    fn json_number<E: de::Error>(self, raw: &str) -> Result<WitValue, E> {
        let text = match raw.as_bytes().first() {
            Some(b'"') => serde_json::from_str::<String>(raw).map_err(E::custom)?,
            Some(b'-' | b'0'..=b'9') => return self.check(scalar::parse_number(raw, self.ty)),
            Some(b'{') => return self.mismatch("an object"),
            Some(b'[') => return self.mismatch("an array"),
            _ => return self.mismatch(raw),
        };
        self.check(scalar::parse_number(&text, self.ty))
    }

    fn integer<E: de::Error>(self, value: i128) -> Result<WitValue, E> {
        if *self.ty == WitType::StringOrInteger {
            let out_of_range = || Failure::new(format!("{value} is out of range for an integer of 64 bits"));
            return self.check(scalar::integer_of_64_bits(value).ok_or_else(out_of_range));
        }
        match scalar::from_integer(value, self.ty) {
            Some(value) => Ok(value),
            None if scalar::is_number(self.ty) => self.fail(scalar::out_of_range(&value, self.ty)),
            None => self.mismatch("a number"),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Typed<'_> {
    type Value = WitValue;

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<WitValue, D::Error> {
        if self.depth > MAX_DEPTH {
            return self.fail(Failure::too_deep());
        }
        match self.ty.kind() {
            Some(TypeKind::Option(_)) => source.deserialize_option(self),
            None if scalar::is_number(self.ty) && source.is_human_readable() => {
                let raw = <&RawValue>::deserialize(source)?;
                self.json_number(raw.get())
            }
            None if *self.ty == WitType::Json && source.is_human_readable() => {
                let raw = <&RawValue>::deserialize(source)?;
                self.check(json_text(raw.get()))
            }
            None if *self.ty == WitType::Json => {
                let value = AnyValue::deserialize(source)?;
                Ok(WitValue::String(serde_json::to_string(&value).map_err(de::Error::custom)?))
            }
            _ => source.deserialize_any(self),
        }
    }
}

impl<'de> Visitor<'de> for Typed<'_> {
    type Value = WitValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&expected(self.ty))
    }

    fn visit_bool<E: de::Error>(self, v: bool) -> Result<WitValue, E> {
        match self.ty {
            WitType::Bool => Ok(WitValue::Bool(v)),
            _ => self.mismatch(if v { "true" } else { "false" }),
        }
    }

    fn visit_i64<E: de::Error>(self, v: i64) -> Result<WitValue, E> {
        self.integer(v.into())
    }

    fn visit_u64<E: de::Error>(self, v: u64) -> Result<WitValue, E> {
        self.integer(v.into())
    }

    fn visit_f32<E: de::Error>(self, v: f32) -> Result<WitValue, E> {
        match self.ty {
            WitType::F32 => Ok(WitValue::F32(v)),
            _ => self.visit_f64(v.into()),
        }
    }

    fn visit_f64<E: de::Error>(self, v: f64) -> Result<WitValue, E> {
        match scalar::from_float(v, self.ty) {
            Some(value) => Ok(value),
            None if *self.ty == WitType::F32 => self.fail(scalar::out_of_range(&format_args!("{v:e}"), self.ty)),
            None => self.mismatch("a float"),
        }
    }

    fn visit_str<E: de::Error>(self, v: &str) -> Result<WitValue, E> {
        match self.ty {
            WitType::String | WitType::StringOrInteger => Ok(WitValue::String(v.to_owned())),
            WitType::Char => self.check(scalar::parse_char(v).map(WitValue::Char)),
            ty if scalar::is_number(ty) => self.check(scalar::parse_number(v, ty)),
            ty => match ty.kind() {
                Some(TypeKind::List(WitType::U8)) => Ok(WitValue::Bytes(v.as_bytes().to_vec())),
                Some(TypeKind::Enum(cases)) => self.enumeration(cases, v),
                Some(TypeKind::Variant(cases)) => self.bare_case(cases, v),
                Some(TypeKind::Result { ok, err }) => self.bare_result([ok.as_ref(), err.as_ref()], v),
                _ => self.mismatch(&format!("the string \"{}\"", Escaped(v))),
            },
        }
    }

    fn visit_bytes<E: de::Error>(self, v: &[u8]) -> Result<WitValue, E> {
        match self.ty.kind() {
            Some(TypeKind::List(WitType::U8)) => Ok(WitValue::Bytes(v.to_vec())),
            // `rmp_serde` passes invalid UTF-8 strings as bytes.
            _ if std::str::from_utf8(v).is_err() => self.mismatch("bytes that are not UTF-8"),
            _ => self.mismatch("binary data"),
        }
    }

    fn visit_unit<E: de::Error>(self) -> Result<WitValue, E> {
        match self.ty.kind() {
            Some(TypeKind::Option(_)) => Ok(WitValue::Option(None)),
            _ => self.mismatch("null"),
        }
    }

    fn visit_none<E: de::Error>(self) -> Result<WitValue, E> {
        self.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, source: D) -> Result<WitValue, D::Error> {
        let Some(TypeKind::Option(inner)) = self.ty.kind() else { return self.mismatch("a value") };
        let value =
            if inner.is_option() { self.nested(source, inner)? } else { self.part(inner).deserialize(source)? };
        Ok(WitValue::Option(Some(Box::new(value))))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<WitValue, A::Error> {
        match self.ty.kind() {
            Some(TypeKind::List(WitType::U8)) => self.bytes(seq),
            Some(TypeKind::List(ty)) => self.list(seq, ty),
            Some(TypeKind::FixedLengthList(ty, length)) => self.fixed_list(seq, ty, *length as usize),
            Some(TypeKind::Tuple(types)) => self.tuple(seq, types),
            Some(TypeKind::Flags(names)) => self.flags(seq, names),
            Some(TypeKind::Map(key, value)) if *key != WitType::String => self.pairs(seq, key, value),
            _ => self.mismatch("an array"),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<WitValue, A::Error> {
        match self.ty.kind() {
            Some(TypeKind::Record(fields)) => self.record(map, fields),
            Some(TypeKind::Variant(cases)) => self.variant(map, cases),
            Some(TypeKind::Result { ok, err }) => self.result(map, [ok.as_ref(), err.as_ref()]),
            Some(TypeKind::List(WitType::U8)) => self.base64(map),
            Some(TypeKind::Map(WitType::String, value)) => self.string_map(map, value),
            _ => self.mismatch("an object"),
        }
    }

    /// This is how `rmp_serde` passes an extension type.
    fn visit_newtype_struct<D: Deserializer<'de>>(self, _: D) -> Result<WitValue, D::Error> {
        self.mismatch("an extension type")
    }
}

/// Reads any JSON value. Its text loses the white space, and keeps the spelling of numbers.
pub(crate) fn json_text(text: &str) -> Result<WitValue, Failure> {
    let compact = JsonText::check(text).and_then(JsonText::to_compact);
    compact.map(WitValue::String).map_err(|reason| Failure::new(format!("not JSON: {reason}")))
}

/// The failure for a value of another kind.
pub(crate) fn mismatch(ty: &WitType, found: &str) -> Failure {
    let expected = expected(ty);
    let separator = if lists_names(ty) { ';' } else { ',' };
    Failure::new(format!("expected {expected}{separator} found {found}"))
}

/// Whether the description of the values ends with names, so that a comma would look like one between them.
fn lists_names(ty: &WitType) -> bool {
    match ty.kind() {
        Some(TypeKind::Record(_) | TypeKind::Variant(_) | TypeKind::Enum(_) | TypeKind::Flags(_)) => true,
        Some(TypeKind::Option(inner)) => !inner.is_option() && lists_names(inner),
        _ => false,
    }
}

/// Writes a number of values: `1 value`, `2 values`.
pub(crate) fn number_of_values(count: usize) -> String {
    format!("{count} value{}", if count == 1 { "" } else { "s" })
}

/// Describes the values of a type.
fn expected(ty: &WitType) -> String {
    let Some(kind) = ty.kind() else {
        return match ty {
            WitType::Bool => "true or false".to_owned(),
            WitType::Char => "a string of one character".to_owned(),
            WitType::String => "a string".to_owned(),
            WitType::F32 | WitType::F64 => format!("a number ({ty})"),
            WitType::Json => "a JSON value".to_owned(),
            WitType::StringOrInteger => "a string or an integer".to_owned(),
            WitType::ErrorContext => "an error-context, which cannot be written".to_owned(),
            _ => format!("an integer ({ty})"),
        };
    };
    match kind {
        TypeKind::Record(fields) => format!("an object with the fields {}", listed(fields)),
        TypeKind::Variant(cases) => {
            format!("one of the cases {}, as \"name\" or {{\"name\": payload}}", listed(cases))
        }
        TypeKind::Enum(names) => format!("one of {}", listed(names)),
        TypeKind::Flags(names) => format!("an array of these names: {}", listed(names)),
        TypeKind::Tuple(types) => format!("an array of {}", number_of_values(types.len())),
        TypeKind::List(WitType::U8) => "an array of bytes, a string or {\"base64\": \"…\"}".to_owned(),
        TypeKind::List(_) => "an array".to_owned(),
        TypeKind::FixedLengthList(_, length) => format!("an array of {}", number_of_values(*length as usize)),
        TypeKind::Map(WitType::String, _) => "an object".to_owned(),
        TypeKind::Map(..) => "an array of [key, value] pairs".to_owned(),
        TypeKind::Option(inner) if inner.is_option() => "null or {\"some\": value}".to_owned(),
        TypeKind::Option(inner) => format!("{} or null", expected(inner)),
        TypeKind::Result { ok, err } => {
            let case = |name, payload: &Option<WitType>| match payload {
                Some(_) => format!("{{\"{name}\": value}}"),
                None => format!("\"{name}\""),
            };
            format!("{} or {}", case("ok", ok), case("err", err))
        }
        TypeKind::Own(_) | TypeKind::Borrow(_) | TypeKind::Stream(_) | TypeKind::Future(_) => {
            format!("a handle ({}), which cannot be written", Clipped(ty))
        }
    }
}
