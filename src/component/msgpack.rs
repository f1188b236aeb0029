//! Values as MessagePack, guided by their type; floats pass bit for bit.

use serde::de::DeserializeSeed;

use crate::component::args::{count, with_array_hint};
use crate::component::context::Context;
use crate::component::decode::Typed;
use crate::component::encode::TypedResult;
use crate::component::failure::{Failure, Step};
use crate::component::types::{Name, WitFunction, WitType};
use crate::component::value::WitValue;
use crate::error::{Error, ErrorKind, Result};
use crate::value::msgpack::{array_header, describe};

/// Decodes the arguments of a function of type `ty`: an array with one element per parameter, or a bare value for a function with
/// one parameter. An array always holds the arguments, so a list as the only argument is an array in an array.
///
/// # Errors
/// Returns [`ErrorKind::InvalidArgument`] if `bytes` is not one MessagePack value, or does not match the signature. The message
/// begins with the path into the value, as for [`json::decode_args`](crate::component::json::decode_args).
pub fn decode_args(bytes: &[u8], ty: &WitFunction) -> Result<Vec<WitValue>> {
    let params = ty.params();
    let array = array_header(bytes);
    let hinted = |error| with_array_hint(error, ty, |only| array.is_some() && decode(bytes, only).is_ok());
    let mut rest = match (array, params) {
        _ if bytes.is_empty() => return Err(invalid("no arguments: the input is empty")),
        (Some((length, rest)), _) => {
            count(length, ty).map_err(hinted)?;
            rest
        }
        (None, [_]) => bytes,
        (None, _) => return Err(invalid(format!("expected a MessagePack array of {} values", params.len()))),
    };
    let mut values = Vec::with_capacity(params.len());
    for (name, param) in params {
        values.push(read(&mut rest, param, Some(name)).map_err(|failure| hinted(failure.into_error()))?);
    }
    end(rest).map(|()| values)
}

/// Decodes one value.
///
/// # Errors
/// As [`decode_args`].
pub fn decode(mut bytes: &[u8], ty: &WitType) -> Result<WitValue> {
    let value = read(&mut bytes, ty, None).map_err(Failure::into_error)?;
    end(bytes).map(|()| value)
}

/// Encodes the result of a call: nil for a function without a result.
///
/// # Errors
/// Returns [`ErrorKind::InvalidArgument`] if the value does not have the type, or holds a resource.
pub fn encode_result(result: TypedResult<'_>) -> Result<Vec<u8>> {
    rmp_serde::to_vec(&result).map_err(|error| invalid(error.to_string()))
}

/// Decodes a value off the front of the bytes. `name` is the first step of the path in a failure.
pub(crate) fn read(bytes: &mut &[u8], ty: &WitType, name: Option<&Name>) -> Result<WitValue, Failure> {
    let context = Context::default();
    let value = Typed::new(ty, &context).deserialize(&mut rmp_serde::Deserializer::new(bytes));
    value.map_err(|error| {
        let failure = context.into_failure().unwrap_or_else(|| Failure::new(describe(error)));
        match name {
            Some(name) => failure.at(Step::Name(name.clone())),
            None => failure,
        }
    })
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidArgument, message)
}

fn end(rest: &[u8]) -> Result<()> {
    match rest.len() {
        0 => Ok(()),
        1 => Err(invalid("1 unexpected byte after the arguments")),
        length => Err(invalid(format!("{length} unexpected bytes after the arguments"))),
    }
}
