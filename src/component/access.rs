//! Makes values of Rust's types, and looks into values.

use crate::component::types::Name;
use crate::component::value::WitValue;

macro_rules! from {
    ($($rust:ty => $variant:ident,)*) => { $(
        impl From<$rust> for WitValue {
            fn from(value: $rust) -> Self {
                Self::$variant(value.into())
            }
        }
    )* };
}

from! {
    bool => Bool, i8 => S8, u8 => U8, i16 => S16, u16 => U16, i32 => S32, u32 => U32, i64 => S64, u64 => U64, f32 => F32,
    f64 => F64, char => Char, &str => String, String => String, Vec<u8> => Bytes, &[u8] => Bytes,
}

/// Makes an option.
impl<T: Into<WitValue>> From<Option<T>> for WitValue {
    fn from(value: Option<T>) -> Self {
        Self::Option(value.map(|value| Box::new(value.into())))
    }
}

impl WitValue {
    /// Makes a record. The fields have the order of the type.
    pub fn record<N: Into<Name>>(fields: impl IntoIterator<Item = (N, WitValue)>) -> Self {
        Self::Record(fields.into_iter().map(|(name, value)| (name.into(), value)).collect())
    }

    /// Makes a list, of fixed length or not. A `list<u8>` is better made of a `Vec<u8>`.
    pub fn list<T: Into<WitValue>>(values: impl IntoIterator<Item = T>) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }

    /// Makes a case of a variant.
    pub fn variant(case: impl Into<Name>, payload: Option<WitValue>) -> Self {
        Self::Variant(case.into(), payload.map(Box::new))
    }

    /// Makes a successful result.
    #[must_use]
    pub fn ok(payload: Option<WitValue>) -> Self {
        Self::Result(Ok(payload.map(Box::new)))
    }

    /// Makes a failed result.
    #[must_use]
    pub fn err(payload: Option<WitValue>) -> Self {
        Self::Result(Err(payload.map(Box::new)))
    }

    /// Returns a boolean.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(v) => Some(*v),
            _ => None,
        }
    }

    /// Returns an integer of any integer type, if it is in the range of an `i64`.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        match *self {
            Self::S8(v) => Some(v.into()),
            Self::U8(v) => Some(v.into()),
            Self::S16(v) => Some(v.into()),
            Self::U16(v) => Some(v.into()),
            Self::S32(v) => Some(v.into()),
            Self::U32(v) => Some(v.into()),
            Self::S64(v) => Some(v),
            Self::U64(v) => v.try_into().ok(),
            _ => None,
        }
    }

    /// Returns an integer of any integer type, if it is in the range of a `u64`.
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        match *self {
            Self::U64(v) => Some(v),
            _ => self.as_i64()?.try_into().ok(),
        }
    }

    /// Returns a float of either type.
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        match *self {
            Self::F32(v) => Some(v.into()),
            Self::F64(v) => Some(v),
            _ => None,
        }
    }

    /// Returns the text of a string, or the name of an enum's case.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            Self::Enum(name) => Some(name),
            _ => None,
        }
    }

    /// Returns the bytes of a `list<u8>`.
    #[must_use]
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// Returns the elements of a list or a tuple.
    #[must_use]
    pub fn as_slice(&self) -> Option<&[WitValue]> {
        match self {
            Self::List(values) | Self::Tuple(values) => Some(values),
            _ => None,
        }
    }

    /// Returns the value of an option, if there is one.
    #[must_use]
    pub fn as_some(&self) -> Option<&WitValue> {
        match self {
            Self::Option(value) => value.as_deref(),
            _ => None,
        }
    }

    /// Returns the name and the payload of a case of a variant, an enum or a result.
    #[must_use]
    pub fn as_case(&self) -> Option<(&str, Option<&WitValue>)> {
        match self {
            Self::Variant(name, payload) => Some((name, payload.as_deref())),
            Self::Enum(name) => Some((name, None)),
            Self::Result(Ok(payload)) => Some(("ok", payload.as_deref())),
            Self::Result(Err(payload)) => Some(("err", payload.as_deref())),
            _ => None,
        }
    }

    /// Returns a field of a record.
    #[must_use]
    pub fn get(&self, field: &str) -> Option<&WitValue> {
        match self {
            Self::Record(fields) => fields.iter().find(|(name, _)| **name == *field).map(|(_, value)| value),
            _ => None,
        }
    }

    /// Describes the kind of value in an error.
    pub(crate) fn description(&self) -> &'static str {
        match self {
            Self::Bool(_) => "a bool",
            Self::S8(_) => "an s8",
            Self::U8(_) => "a u8",
            Self::S16(_) => "an s16",
            Self::U16(_) => "a u16",
            Self::S32(_) => "an s32",
            Self::U32(_) => "a u32",
            Self::S64(_) => "an s64",
            Self::U64(_) => "a u64",
            Self::F32(_) => "an f32",
            Self::F64(_) => "an f64",
            Self::Char(_) => "a char",
            Self::String(_) => "a string",
            Self::Bytes(_) => "a list of bytes",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
            Self::Tuple(_) => "a tuple",
            Self::Record(_) => "a record",
            Self::Variant(..) => "a case of a variant",
            Self::Enum(_) => "a case of an enum",
            Self::Flags(_) => "flags",
            Self::Option(_) => "an option",
            Self::Result(_) => "a result",
            Self::Resource(_) => "a resource",
        }
    }
}
