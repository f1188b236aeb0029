//! Values as MessagePack, guided by the signature; floats pass bit for bit.

use std::fmt;

use rmp_serde::decode;
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::error::{Error, ErrorKind, Result};
use crate::value::args::{count, numbered};
use crate::value::serial::Results;
use crate::value::text;
use crate::value::types::{FuncType, ValType, Value};

/// Decodes the arguments of a function of type `ty`: an array, or a bare value for a function with one parameter.
///
/// # Errors
/// Returns [`ErrorKind::InvalidArgument`] if `bytes` is not one MessagePack value, or does not match the signature.
pub fn decode_args(bytes: &[u8], ty: &FuncType) -> Result<Vec<Value>> {
    let invalid = |message: String| Error::new(ErrorKind::InvalidArgument, message);
    let params = ty.params();
    let mut rest = match (array_header(bytes), params) {
        _ if bytes.is_empty() => return Err(invalid("no arguments: the input is empty".to_owned())),
        (Some((length, rest)), _) => {
            count(length, ty)?;
            rest
        }
        (None, [_]) => bytes,
        (None, _) => return Err(invalid(format!("expected a MessagePack array of {} values", params.len()))),
    };
    let mut values = Vec::with_capacity(params.len());
    for (index, ty) in params.iter().enumerate() {
        let decoded = TypedValue(ty).deserialize(&mut rmp_serde::Deserializer::new(&mut rest));
        values.push(decoded.map_err(|error| numbered(invalid(describe(error)), index, ty))?);
    }
    match rest.len() {
        0 => Ok(values),
        1 => Err(invalid("1 unexpected byte after the arguments".to_owned())),
        length => Err(invalid(format!("{length} unexpected bytes after the arguments"))),
    }
}

/// Encodes the results of a call: nil for none, a value for one, an array for several.
#[must_use]
pub fn encode_results(values: &[Value]) -> Vec<u8> {
    rmp_serde::to_vec(&Results(values)).unwrap_or_else(|_| unreachable!("every value has a MessagePack encoding"))
}

/// Returns the length of an array (fixarray, array 16 or array 32) and the bytes after its header; `None` for anything else.
pub(crate) fn array_header(bytes: &[u8]) -> Option<(usize, &[u8])> {
    match *bytes {
        [marker @ 0x90..=0x9f, ref rest @ ..] => Some((usize::from(marker & 0x0f), rest)),
        [0xdc, a, b, ref rest @ ..] => Some((usize::from(u16::from_be_bytes([a, b])), rest)),
        [0xdd, a, b, c, d, ref rest @ ..] => Some((usize::try_from(u32::from_be_bytes([a, b, c, d])).ok()?, rest)),
        _ => None,
    }
}

/// Describes a failure of the decoder.
pub(crate) fn describe(error: decode::Error) -> String {
    use decode::Error as Decode;
    match error {
        Decode::Syntax(message) | Decode::Uncategorized(message) => message,
        Decode::InvalidMarkerRead(_) | Decode::InvalidDataRead(_) => "unexpected end of input".to_owned(),
        Decode::Utf8Error(_) => "the string is not valid UTF-8".to_owned(),
        _ => "invalid MessagePack".to_owned(),
    }
}

/// Decodes one value of a type.
#[derive(Clone, Copy)]
struct TypedValue<'t>(&'t ValType);

impl<'de> DeserializeSeed<'de> for TypedValue<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<Value, D::Error> {
        source.deserialize_any(self)
    }
}

impl TypedValue<'_> {
    /// The error for a value of another kind.
    fn mismatch<E: de::Error>(self, found: &str) -> Result<Value, E> {
        let expected = match self.0 {
            ValType::I32 | ValType::I64 => "an integer",
            ValType::F32 | ValType::F64 => "a number",
            ValType::V128 => "16 bytes of binary data",
            ValType::FuncRef | ValType::ExternRef => "nil",
            ValType::Ref(_) => return Err(E::custom(text::invalid("", self.0))),
        };
        Err(E::custom(format!("expected {expected}, found {found}")))
    }

    /// An integer in the signed or unsigned range of an integer type, or for a float.
    fn integer<E: de::Error>(self, value: i128) -> Result<Value, E> {
        match self.0 {
            ValType::V128 | ValType::FuncRef | ValType::ExternRef => self.mismatch("an integer"),
            ty => Value::from_integer(value, ty).ok_or_else(|| E::custom(text::invalid(&value.to_string(), ty))),
        }
    }
}

impl<'de> Visitor<'de> for TypedValue<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a value of type {}", self.0)
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Value, E> {
        self.mismatch("a boolean")
    }

    fn visit_i64<E: de::Error>(self, v: i64) -> Result<Value, E> {
        self.integer(i128::from(v))
    }

    fn visit_u64<E: de::Error>(self, v: u64) -> Result<Value, E> {
        self.integer(i128::from(v))
    }

    fn visit_f32<E: de::Error>(self, v: f32) -> Result<Value, E> {
        match self.0 {
            ValType::F32 => Ok(Value::F32(v)),
            ValType::F64 => Ok(Value::F64(f64::from(v))),
            _ => self.mismatch("a float"),
        }
    }

    /// Most languages write float64 only. For an f32 it is rounded to the nearest, but a finite number never to infinity.
    fn visit_f64<E: de::Error>(self, v: f64) -> Result<Value, E> {
        #[expect(clippy::cast_possible_truncation, reason = "a float64 is rounded to the parameter's width")]
        let single = v as f32;
        match self.0 {
            ValType::F32 if single.is_infinite() && v.is_finite() => {
                Err(E::custom(format!("`{v:e}` is out of range for f32")))
            }
            ValType::F32 => Ok(Value::F32(single)),
            ValType::F64 => Ok(Value::F64(v)),
            _ => self.mismatch("a float"),
        }
    }

    fn visit_str<E: de::Error>(self, v: &str) -> Result<Value, E> {
        text::parse(v, self.0).map_err(E::custom)
    }

    fn visit_bytes<E: de::Error>(self, v: &[u8]) -> Result<Value, E> {
        match (self.0, <[u8; 16]>::try_from(v)) {
            (ValType::V128, Ok(bytes)) => Ok(Value::V128(u128::from_le_bytes(bytes))),
            _ => self.mismatch(&format!("binary data of length {}", v.len())),
        }
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        match self.0 {
            ValType::FuncRef => Ok(Value::FuncRef(None)),
            ValType::ExternRef => Ok(Value::ExternRef(None)),
            _ => self.mismatch("nil"),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<Value, A::Error> {
        self.mismatch("an array")
    }

    fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<Value, A::Error> {
        self.mismatch("a map")
    }

    /// This is how `rmp_serde` passes an extension type.
    fn visit_newtype_struct<D: Deserializer<'de>>(self, _: D) -> Result<Value, D::Error> {
        self.mismatch("an extension type")
    }
}
