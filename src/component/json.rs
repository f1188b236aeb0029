//! Values as JSON, guided by their type. Numbers are parsed from their text, so 64-bit integers are exact and an f32 is rounded
//! once.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::component::args::{count, with_array_hint};
use crate::component::context::Context;
use crate::component::decode::Typed;
use crate::component::encode::TypedResult;
use crate::component::failure::{Refusal, Step};
use crate::component::types::{WitFunction, WitType};
use crate::component::value::WitValue;
use crate::error::{Error, ErrorKind, Result};

/// Decodes the arguments of a function of type `ty`: a JSON array with one element per parameter, or a bare value for a function
/// with one parameter. An array always holds the arguments, so a list as the only argument is an array in an array.
///
/// # Errors
/// Returns [`ErrorKind::InvalidArgument`] if `bytes` is not UTF-8, not one JSON value, or does not match the signature. The message
/// begins with the path into the value: `items[3].qty: 7000000000 is out of range for u32 (0 to 4294967295)`.
pub fn decode_args(bytes: &[u8], ty: &WitFunction) -> Result<Vec<WitValue>> {
    let document = utf8(bytes)?;
    let context = Context::default();
    let is_array = document.trim_ascii_start().starts_with('[');
    let decoded = match (is_array, ty.params()) {
        (true, _) => read(document, Args { ty, context: &context }),
        (false, [(name, only)]) => {
            let value = read(document, Typed::new(only, &context));
            context.at(value, || Step::Name(name.clone())).map(|value| vec![value])
        }
        (false, params) => {
            serde_json::from_str::<&RawValue>(document).map_err(|error| invalid(&error))?;
            let message = format!("expected a JSON array of {} values", params.len());
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
    };
    decoded.map_err(|error| {
        let error = match count_elements(document, ty) {
            Ok(()) => into_error(refusal(document, &error, context)),
            Err(wrong_count) => wrong_count,
        };
        with_array_hint(error, ty, |only| is_array && parse(document, only).is_ok())
    })
}

/// Decodes one value.
///
/// # Errors
/// As [`decode_args`].
pub fn decode(bytes: &[u8], ty: &WitType) -> Result<WitValue> {
    parse(utf8(bytes)?, ty).map_err(into_error)
}

/// Reads a document that holds one value.
pub(crate) fn parse(document: &str, ty: &WitType) -> Result<WitValue, Refusal> {
    let context = Context::default();
    let decoded = read(document, Typed::new(ty, &context));
    decoded.map_err(|error| refusal(document, &error, context))
}

/// Why a document was refused. That it is not JSON counts before a value that does not fit.
fn refusal(document: &str, error: &serde_json::Error, context: Context) -> Refusal {
    match (serde_json::from_str::<&RawValue>(document), context.into_failure()) {
        (Err(syntax), _) => Refusal::Syntax(syntax.to_string()),
        (Ok(_), Some(failure)) => Refusal::Value(failure),
        (Ok(_), None) => Refusal::Syntax(error.to_string()),
    }
}

fn into_error(refusal: Refusal) -> Error {
    match refusal {
        Refusal::Syntax(reason) => invalid(&reason),
        Refusal::Value(failure) => failure.into_error(),
    }
}

/// Encodes the result of a call on one line: `null` for a function without a result.
///
/// # Errors
/// Returns [`ErrorKind::InvalidArgument`] if the value does not have the type, or holds a resource.
pub fn encode_result(result: TypedResult<'_>) -> Result<String> {
    serde_json::to_string(&result).map_err(|error| Error::new(ErrorKind::InvalidArgument, error.to_string()))
}

fn utf8(bytes: &[u8]) -> Result<&str> {
    let document = std::str::from_utf8(bytes).map_err(|error| invalid(&error))?;
    if document.trim_ascii().is_empty() {
        return Err(Error::new(ErrorKind::InvalidArgument, "no arguments: the input is empty"));
    }
    Ok(document)
}

/// Reads a whole document.
fn read<'de, T: DeserializeSeed<'de>>(document: &'de str, seed: T) -> serde_json::Result<T::Value> {
    let mut source = serde_json::Deserializer::from_str(document);
    let value = seed.deserialize(&mut source)?;
    source.end().map(|()| value)
}

fn invalid(reason: &dyn fmt::Display) -> Error {
    Error::new(ErrorKind::InvalidArgument, format!("the arguments are not valid JSON: {reason}"))
}

/// Reports a wrong number of arguments before a wrong type.
fn count_elements(document: &str, ty: &WitFunction) -> Result<()> {
    if !document.trim_ascii_start().starts_with('[') {
        return Ok(());
    }
    let elements: Vec<&RawValue> = serde_json::from_str(document).map_err(|error| invalid(&error))?;
    count(elements.len(), ty)
}

/// Decodes an array of arguments.
struct Args<'t> {
    ty: &'t WitFunction,
    context: &'t Context,
}

impl<'de> DeserializeSeed<'de> for Args<'_> {
    type Value = Vec<WitValue>;

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<Vec<WitValue>, D::Error> {
        source.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Args<'_> {
    type Value = Vec<WitValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an array of {} arguments", self.ty.params().len())
    }

    /// An array of another length leads to an error: after the last element here, or by `end_seq` of the format.
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<WitValue>, A::Error> {
        let mut values = Vec::with_capacity(self.ty.params().len());
        for (name, ty) in self.ty.params() {
            let value = seq.next_element_seed(Typed::new(ty, self.context));
            match self.context.at(value, || Step::Name(name.clone()))? {
                Some(value) => values.push(value),
                None => return Err(serde::de::Error::invalid_length(values.len(), &self)),
            }
        }
        Ok(values)
    }
}
