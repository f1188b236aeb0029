//! Serialization of values: readable in text formats (JSON), exact to the bit in binary formats (MessagePack).

use serde::ser::{Error as _, Serialize, SerializeMap, SerializeSeq, Serializer};

use crate::component::clipped::Clipped;
use crate::component::failure::MAX_DEPTH;
use crate::component::types::{Name, TypeKind, WitType};
use crate::component::value::WitValue;
use crate::value::base64::Base64Object;
use crate::value::json_text::JsonText;
use crate::value::text;

/// A value with its type, which can be serialized.
///
/// Human-readable formats get non-finite floats as strings (`"inf"`, `"nan"`) and bytes as `{"base64": "…"}`. Binary formats get
/// float32, float64 and binary data. Serialization fails for resources and for a value that does not have the type.
#[derive(Clone, Copy, Debug)]
pub struct TypedValue<'a> {
    value: &'a WitValue,
    ty: &'a WitType,
    depth: usize,
}

impl<'a> TypedValue<'a> {
    /// Joins a value and its type.
    #[must_use]
    pub fn new(value: &'a WitValue, ty: &'a WitType) -> Self {
        Self { value, ty, depth: 0 }
    }

    fn part(&self, value: &'a WitValue, ty: &'a WitType) -> Self {
        Self { value, ty, depth: self.depth + 1 }
    }
}

/// The result of a call with its type: null if there is none.
#[derive(Clone, Copy, Debug)]
pub struct TypedResult<'a>(pub Option<TypedValue<'a>>);

impl<'a> TypedResult<'a> {
    /// Joins the result of a call and its type; `None` for a function without a result.
    #[must_use]
    pub fn new(value: Option<&'a WitValue>, ty: Option<&'a WitType>) -> Self {
        Self(value.zip(ty).map(|(value, ty)| TypedValue::new(value, ty)))
    }
}

impl Serialize for TypedResult<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            None => serializer.serialize_unit(),
            Some(value) => value.serialize(serializer),
        }
    }
}

impl Serialize for TypedValue<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.depth > MAX_DEPTH {
            return Err(S::Error::custom(format!("the value is nested deeper than {MAX_DEPTH} levels")));
        }
        let readable = serializer.is_human_readable();
        match (self.value, self.ty) {
            (WitValue::Bool(v), WitType::Bool) => serializer.serialize_bool(*v),
            (WitValue::S8(v), WitType::S8) => serializer.serialize_i8(*v),
            (WitValue::U8(v), WitType::U8) => serializer.serialize_u8(*v),
            (WitValue::S16(v), WitType::S16) => serializer.serialize_i16(*v),
            (WitValue::U16(v), WitType::U16) => serializer.serialize_u16(*v),
            (WitValue::S32(v), WitType::S32) => serializer.serialize_i32(*v),
            (WitValue::U32(v), WitType::U32) => serializer.serialize_u32(*v),
            (WitValue::S64(v), WitType::S64 | WitType::StringOrInteger) => serializer.serialize_i64(*v),
            (WitValue::U64(v), WitType::U64 | WitType::StringOrInteger) => serializer.serialize_u64(*v),
            (WitValue::F32(v), WitType::F32) => match text::non_finite_f32(*v).filter(|_| readable) {
                Some(text) => serializer.serialize_str(&text),
                None => serializer.serialize_f32(*v),
            },
            (WitValue::F64(v), WitType::F64) => match text::non_finite_f64(*v).filter(|_| readable) {
                Some(text) => serializer.serialize_str(&text),
                None => serializer.serialize_f64(*v),
            },
            (WitValue::Char(v), WitType::Char) => serializer.serialize_char(*v),
            (WitValue::String(v), WitType::String | WitType::StringOrInteger) => serializer.serialize_str(v),
            (WitValue::String(v), WitType::Json) => JsonText::new(v).serialize(serializer),
            (_, WitType::Defined(def)) => self.compound(serializer, &def.kind),
            _ => Err(self.mismatch()),
        }
    }
}

impl<'a> TypedValue<'a> {
    fn compound<S: Serializer>(&self, serializer: S, kind: &'a TypeKind) -> Result<S::Ok, S::Error> {
        match (self.value, kind) {
            (WitValue::Bytes(bytes), TypeKind::List(WitType::U8)) => binary(serializer, bytes),
            (WitValue::List(items), TypeKind::List(WitType::U8)) => {
                let byte = |item: &WitValue| if let WitValue::U8(byte) = item { Some(*byte) } else { None };
                let bytes: Option<Vec<_>> = items.iter().map(byte).collect();
                binary(serializer, &bytes.ok_or_else(|| self.mismatch())?)
            }
            (WitValue::List(items), TypeKind::List(ty)) => self.seq(serializer, items.iter().map(|item| (item, ty))),
            (WitValue::List(items), TypeKind::FixedLengthList(ty, length)) if items.len() == *length as usize => {
                self.seq(serializer, items.iter().map(|item| (item, ty)))
            }
            (WitValue::Tuple(items), TypeKind::Tuple(types)) if items.len() == types.len() => {
                self.seq(serializer, items.iter().zip(types))
            }
            (WitValue::Record(values), TypeKind::Record(fields)) if values.len() == fields.len() => {
                self.record(serializer, values, fields)
            }
            (WitValue::Map(entries), TypeKind::Map(WitType::String, ty)) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (key, value) in entries {
                    let WitValue::String(key) = key else { return Err(self.mismatch()) };
                    map.serialize_entry(key, &self.part(value, ty))?;
                }
                map.end()
            }
            (WitValue::Map(entries), TypeKind::Map(key_ty, ty)) => {
                let mut seq = serializer.serialize_seq(Some(entries.len()))?;
                for (key, value) in entries {
                    seq.serialize_element(&[self.part(key, key_ty), self.part(value, ty)])?;
                }
                seq.end()
            }
            (WitValue::Flags(names), TypeKind::Flags(_)) => {
                let mut seq = serializer.serialize_seq(Some(names.len()))?;
                for name in names {
                    seq.serialize_element(&**name)?;
                }
                seq.end()
            }
            (WitValue::Enum(name), TypeKind::Enum(_)) | (WitValue::Variant(name, None), TypeKind::Variant(_)) => {
                serializer.serialize_str(name)
            }
            (WitValue::Variant(name, Some(value)), TypeKind::Variant(cases)) => {
                match cases.iter().find(|(case, _)| case == name) {
                    Some((_, Some(ty))) => self.entry(serializer, name, value, ty),
                    _ => Err(self.mismatch()),
                }
            }
            (WitValue::Result(result), TypeKind::Result { ok, err }) => {
                let (name, value, ty) = match result {
                    Ok(value) => ("ok", value, ok),
                    Err(value) => ("err", value, err),
                };
                match (value, ty) {
                    (Some(value), Some(ty)) => self.entry(serializer, name, value, ty),
                    (None, None) => serializer.serialize_str(name),
                    _ => Err(self.mismatch()),
                }
            }
            (WitValue::Option(None), TypeKind::Option(_)) => serializer.serialize_unit(),
            (WitValue::Option(Some(value)), TypeKind::Option(ty)) if ty.is_option() => {
                self.entry(serializer, "some", value, ty)
            }
            (WitValue::Option(Some(value)), TypeKind::Option(ty)) => self.part(value, ty).serialize(serializer),
            _ => Err(self.mismatch()),
        }
    }

    fn record<S: Serializer>(
        &self,
        serializer: S,
        values: &'a [(Name, WitValue)],
        fields: &'a [(Name, WitType)],
    ) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(fields.len()))?;
        for ((name, value), (_, ty)) in values.iter().zip(fields) {
            map.serialize_entry(&**name, &self.part(value, ty))?;
        }
        map.end()
    }

    fn seq<S: Serializer>(
        &self,
        serializer: S,
        items: impl ExactSizeIterator<Item = (&'a WitValue, &'a WitType)>,
    ) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(Some(items.len()))?;
        for (item, ty) in items {
            seq.serialize_element(&self.part(item, ty))?;
        }
        seq.end()
    }

    fn entry<S: Serializer>(
        &self,
        serializer: S,
        name: &str,
        value: &'a WitValue,
        ty: &'a WitType,
    ) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(name, &self.part(value, ty))?;
        map.end()
    }

    fn mismatch<E: serde::ser::Error>(&self) -> E {
        match self.value {
            WitValue::Resource(_) => E::custom("a resource cannot be written"),
            _ => E::custom(format!("the value does not have the type {}", Clipped(self.ty))),
        }
    }
}

/// Bytes: binary data, or `{"base64": "…"}`.
fn binary<S: Serializer>(serializer: S, bytes: &[u8]) -> Result<S::Ok, S::Error> {
    if serializer.is_human_readable() {
        return Base64Object(bytes).serialize(serializer);
    }
    serializer.serialize_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::component::types::Resource;
    use crate::component::value::ResourceHandle;

    #[test]
    fn resources_are_not_written() {
        let ty = WitType::from(TypeKind::Own(Resource { name: None, number: 0 }));
        let value = WitValue::Resource(ResourceHandle { instance: 1, number: 2 });
        let error = serde_json::to_string(&TypedValue::new(&value, &ty)).unwrap_err();
        assert_eq!(error.to_string(), "a resource cannot be written");
    }
}
