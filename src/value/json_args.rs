//! Numbers from JSON in one pass, for calls in quick succession. Other values are left to
//! [`decode_args`](crate::value::json::decode_args).

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::value::text;
use crate::value::types::{FuncType, ValType, Value};

/// Decodes an array of arguments, or a bare integer for one parameter, into a vector.
#[derive(Debug)]
pub(crate) struct Args<'a> {
    ty: &'a FuncType,
    values: &'a mut Vec<Value>,
}

impl<'a> Args<'a> {
    /// Decodes arguments of a function of type `ty`.
    pub(crate) fn new(ty: &'a FuncType, values: &'a mut Vec<Value>) -> Self {
        Self { ty, values }
    }

    /// Decodes a document. `None` if it is not valid, or has something else than numbers.
    pub(crate) fn read(self, document: &[u8]) -> Option<()> {
        let mut source = serde_json::Deserializer::from_slice(document);
        self.deserialize(&mut source).ok()?;
        source.end().ok()
    }

    /// Sets the only argument.
    fn only<E: Error>(self, value: impl FnOnce(Argument<'_>) -> Result<Value, E>) -> Result<(), E> {
        let [ty] = self.ty.params() else { return Err(unusual()) };
        self.values.clear();
        self.values.push(value(Argument(ty))?);
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Args<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<(), D::Error> {
        source.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Args<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("arguments")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        self.values.clear();
        for ty in self.ty.params() {
            let value = seq.next_element_seed(Argument(ty))?.ok_or_else(unusual)?;
            self.values.push(value);
        }
        Ok(())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<(), E> {
        self.only(|argument| argument.visit_i64(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        self.only(|argument| argument.visit_u64(number))
    }
}

/// Decodes one argument.
#[derive(Clone, Copy)]
struct Argument<'t>(&'t ValType);

impl<'de> DeserializeSeed<'de> for Argument<'_> {
    type Value = Value;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<Value, D::Error> {
        match self.0 {
            ValType::I32 | ValType::I64 => source.deserialize_any(self),
            // A float is read from its text: serde_json rounds twice.
            ValType::F32 | ValType::F64 => match <&RawValue>::deserialize(source)?.get() {
                number if number.starts_with(|first: char| first == '-' || first.is_ascii_digit()) => {
                    text::parse(number, self.0).map_err(|_| unusual())
                }
                _ => Err(unusual()),
            },
            _ => Err(unusual()),
        }
    }
}

impl Visitor<'_> for Argument<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a value of type {}", self.0)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Value, E> {
        Value::from_integer(number.into(), self.0).ok_or_else(unusual)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Value, E> {
        Value::from_integer(number.into(), self.0).ok_or_else(unusual)
    }

    fn visit_str<E: Error>(self, literal: &str) -> Result<Value, E> {
        text::parse(literal, self.0).map_err(|_| unusual())
    }
}

/// The error for input that is not decoded in one pass. It is not shown.
fn unusual<E: Error>() -> E {
    E::custom("")
}
