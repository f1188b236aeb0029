//! Values as MessagePack, guided by the signature; floats pass bit for bit.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, SeqAccess, Visitor};

use crate::error::{Error, ErrorKind, Result};
use crate::value::args::{count, numbered};
use crate::value::serial::Results;
use crate::value::text;
use crate::value::types::{FuncType, ValType, Value};

/// Reads the arguments of a function of type `ty`: an array, or a bare value where there is one parameter.
///
/// # Errors
/// [`ErrorKind::InvalidArgument`] where `bytes` is not one MessagePack value, or does not fit the signature.
pub fn decode_args(bytes: &[u8], ty: &FuncType) -> Result<Vec<Value>> {
    if bytes.is_empty() {
        return Err(Error::new(ErrorKind::InvalidArgument, "no arguments: the input is empty"));
    }
    let mut rest = bytes;
    let mut source = rmp_serde::Deserializer::new(&mut rest);
    let read = match ty.params() {
        [only] if !is_array(bytes[0]) => one(&mut source, only).map(|value| vec![value]),
        _ => Arguments(ty).deserialize(&mut source),
    };
    let values = read.map_err(|error| {
        let message = match error {
            rmp_serde::decode::Error::Syntax(message) => message,
            other => format!("the arguments are not MessagePack: {other}"),
        };
        Error::new(ErrorKind::InvalidArgument, message)
    })?;
    if rest.is_empty() {
        return Ok(values);
    }
    let message = format!("{} bytes follow the arguments", rest.len());
    Err(Error::new(ErrorKind::InvalidArgument, message))
}

/// Writes what a call returned: nil, a value, or an array.
#[must_use]
pub fn encode_results(values: &[Value]) -> Vec<u8> {
    rmp_serde::to_vec(&Results(values)).unwrap_or_else(|_| unreachable!("every value has a MessagePack spelling"))
}

/// The only argument, without an array around it.
fn one<'de, D: Deserializer<'de>>(source: D, ty: &ValType) -> Result<Value, D::Error> {
    Of(ty).deserialize(source).map_err(|error| {
        let error = Error::new(ErrorKind::InvalidArgument, error.to_string());
        D::Error::custom(numbered(&error, 0, ty))
    })
}

/// fixarray, array 16 and array 32.
fn is_array(marker: u8) -> bool {
    matches!(marker, 0x90..=0x9f | 0xdc | 0xdd)
}

struct Arguments<'t>(&'t FuncType);

impl<'de> DeserializeSeed<'de> for Arguments<'_> {
    type Value = Vec<Value>;

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<Self::Value, D::Error> {
        source.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Arguments<'_> {
    type Value = Vec<Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an array of {} values", self.0.params().len())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut source: A) -> Result<Self::Value, A::Error> {
        if let Some(given) = source.size_hint() {
            count(given, self.0).map_err(A::Error::custom)?;
        }
        let mut values = Vec::with_capacity(self.0.params().len());
        for (index, ty) in self.0.params().iter().enumerate() {
            let value = source.next_element_seed(Of(ty)).map_err(|error| {
                let error = Error::new(ErrorKind::InvalidArgument, error.to_string());
                A::Error::custom(numbered(&error, index, ty))
            })?;
            values.push(value.ok_or_else(|| A::Error::invalid_length(index, &self))?);
        }
        Ok(values)
    }
}

/// One value of a type.
struct Of<'t>(&'t ValType);

impl<'de> DeserializeSeed<'de> for Of<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<Value, D::Error> {
        source.deserialize_any(self)
    }
}

impl Of<'_> {
    /// An integer for an integer parameter in the signed or unsigned range, or for a float parameter.
    fn integer<E: serde::de::Error>(self, wide: i128) -> Result<Value, E> {
        text::parse(&wide.to_string(), self.0).map_err(E::custom)
    }

    fn bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Value, E> {
        match (self.0, <[u8; 16]>::try_from(bytes)) {
            (ValType::V128, Ok(bytes)) => Ok(Value::V128(u128::from_le_bytes(bytes))),
            (ValType::V128, Err(_)) => Err(E::custom(format!("a v128 is 16 bytes, not {}", bytes.len()))),
            _ => Err(E::invalid_type(serde::de::Unexpected::Bytes(bytes), &self)),
        }
    }
}

impl Visitor<'_> for Of<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a value of type {}", self.0)
    }

    fn visit_i64<E: serde::de::Error>(self, v: i64) -> Result<Value, E> {
        self.integer(i128::from(v))
    }

    fn visit_u64<E: serde::de::Error>(self, v: u64) -> Result<Value, E> {
        self.integer(i128::from(v))
    }

    fn visit_f32<E: serde::de::Error>(self, v: f32) -> Result<Value, E> {
        match self.0 {
            ValType::F32 => Ok(Value::F32(v)),
            ValType::F64 => Ok(Value::F64(f64::from(v))),
            _ => Err(E::invalid_type(serde::de::Unexpected::Float(f64::from(v)), &self)),
        }
    }

    /// Most languages only write float64: for an f32 it is rounded to the nearest, but never to an infinity.
    fn visit_f64<E: serde::de::Error>(self, v: f64) -> Result<Value, E> {
        #[expect(clippy::cast_possible_truncation, reason = "rounding to the parameter's width is what is wanted")]
        let single = v as f32;
        match self.0 {
            ValType::F32 if single.is_infinite() && v.is_finite() => {
                Err(E::custom(format!("`{v:e}` is out of range for f32")))
            }
            ValType::F32 => Ok(Value::F32(single)),
            ValType::F64 => Ok(Value::F64(v)),
            _ => Err(E::invalid_type(serde::de::Unexpected::Float(v), &self)),
        }
    }

    fn visit_str<E: serde::de::Error>(self, v: &str) -> Result<Value, E> {
        text::parse(v, self.0).map_err(E::custom)
    }

    fn visit_bytes<E: serde::de::Error>(self, v: &[u8]) -> Result<Value, E> {
        self.bytes(v)
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Value, E> {
        text::parse("null", self.0).map_err(E::custom)
    }
}
