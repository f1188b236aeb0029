//! Values without a type, from a binary format to JSON.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};

use crate::value::base64::Base64Object;
use crate::value::types::Value;

/// The most elements that memory is reserved for because the input announces them.
const MAX_RESERVED: usize = 1024;

/// A value without a type. In JSON, floats that are not finite are strings (`"inf"`, `"nan"`), and bytes are
/// `{"base64": "…"}`.
#[derive(Debug)]
pub(crate) enum AnyValue {
    Null,
    Bool(bool),
    Signed(i64),
    Unsigned(u64),
    F32(f32),
    F64(f64),
    String(String),
    Bytes(Vec<u8>),
    Array(Vec<AnyValue>),
    Object(Vec<(String, AnyValue)>),
}

impl Serialize for AnyValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(v) => serializer.serialize_bool(*v),
            Self::Signed(v) => serializer.serialize_i64(*v),
            Self::Unsigned(v) => serializer.serialize_u64(*v),
            Self::F32(v) => Value::F32(*v).serialize(serializer),
            Self::F64(v) => Value::F64(*v).serialize(serializer),
            Self::String(v) => serializer.serialize_str(v),
            Self::Bytes(v) => Base64Object(v).serialize(serializer),
            Self::Array(v) => serializer.collect_seq(v),
            Self::Object(v) => serializer.collect_map(v.iter().map(|(name, value)| (name, value))),
        }
    }
}

impl<'de> Deserialize<'de> for AnyValue {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        source.deserialize_any(AnyVisitor)
    }
}

struct AnyVisitor;

impl<'de> Visitor<'de> for AnyVisitor {
    type Value = AnyValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value that JSON can express")
    }

    fn visit_bool<E>(self, v: bool) -> Result<AnyValue, E> {
        Ok(AnyValue::Bool(v))
    }

    fn visit_i64<E>(self, v: i64) -> Result<AnyValue, E> {
        Ok(AnyValue::Signed(v))
    }

    fn visit_u64<E>(self, v: u64) -> Result<AnyValue, E> {
        Ok(AnyValue::Unsigned(v))
    }

    fn visit_f32<E>(self, v: f32) -> Result<AnyValue, E> {
        Ok(AnyValue::F32(v))
    }

    fn visit_f64<E>(self, v: f64) -> Result<AnyValue, E> {
        Ok(AnyValue::F64(v))
    }

    fn visit_str<E>(self, v: &str) -> Result<AnyValue, E> {
        Ok(AnyValue::String(v.to_owned()))
    }

    fn visit_bytes<E>(self, v: &[u8]) -> Result<AnyValue, E> {
        Ok(AnyValue::Bytes(v.to_vec()))
    }

    fn visit_unit<E>(self) -> Result<AnyValue, E> {
        Ok(AnyValue::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<AnyValue, A::Error> {
        let mut values = Vec::with_capacity(seq.size_hint().unwrap_or(0).min(MAX_RESERVED));
        while let Some(value) = seq.next_element()? {
            values.push(value);
        }
        Ok(AnyValue::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<AnyValue, A::Error> {
        let mut entries = Vec::with_capacity(map.size_hint().unwrap_or(0).min(MAX_RESERVED));
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(AnyValue::Object(entries))
    }
}
