//! Arguments and results as bytes.

use crate::component::types::{Name, TypeKind, WitFunction, WitType};
use crate::component::value::WitValue;
use crate::error::{Error, ErrorKind, Result};
use crate::escape::Escaped;
use crate::runtime::text_abi::Payload;
use crate::value::json_text::JsonText;

/// The type of a payload, as a component would have it.
pub(super) fn ty(payload: Payload) -> WitType {
    match payload {
        Payload::Text => WitType::String,
        Payload::Json => WitType::Json,
        Payload::Bytes => WitType::from(TypeKind::List(WitType::U8)),
    }
}

/// The type of a function with one argument and one result.
pub(super) fn function(payload: Payload) -> WitFunction {
    WitFunction::new([(Name::from("input"), ty(payload))], Some(ty(payload)), false)
}

/// Returns the bytes of an argument.
///
/// # Errors
/// [`ErrorKind::InvalidArgument`] if it has none.
pub(super) fn bytes(value: &WitValue) -> Result<&[u8]> {
    match value {
        WitValue::String(text) => Ok(text.as_bytes()),
        WitValue::Bytes(bytes) => Ok(bytes),
        _ => {
            let message = "the arguments do not have the types of the function";
            Err(Error::new(ErrorKind::InvalidArgument, message))
        }
    }
}

/// Decodes the bytes that `function` returned.
///
/// # Errors
/// [`ErrorKind::InvalidResult`] if they are not of the payload's format.
pub(super) fn decode(payload: Payload, bytes: Vec<u8>, function: &str) -> Result<WitValue> {
    let function = Escaped(function);
    let invalid = |message: String| Error::new(ErrorKind::InvalidResult, message);
    if payload == Payload::Bytes {
        return Ok(WitValue::Bytes(bytes));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let position = error.utf8_error().valid_up_to();
        invalid(format!("the result of `{function}` is not UTF-8: invalid byte at offset {position}"))
            .with_hint("`--payload bytes` takes any bytes")
    })?;
    if payload == Payload::Json {
        JsonText::check(&text)
            .map_err(|reason| invalid(format!("the result of `{function}` is not JSON: {reason}")))?;
    }
    Ok(WitValue::String(text))
}
