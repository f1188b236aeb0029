//! Values as text, guided by their type: text arguments, and results without quotes.

use crate::component::args::count;
use crate::component::decode::{self, mismatch};
use crate::component::encode::TypedResult;
use crate::component::failure::{Failure, Refusal, Step};
use crate::component::labels::unknown;
use crate::component::types::{TypeKind, WitFunction, WitType};
use crate::component::value::WitValue;
use crate::component::{json, scalar, wave};
use crate::error::Result;
use crate::escape::Escaped;

/// Parses arguments given as text, one for each parameter of `ty`.
///
/// # Errors
/// Returns [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if there are too few or too many, or one does not have
/// its parameter's type. The message begins with the path into the value, such as `items[3].qty: `.
pub fn parse_args<T: AsRef<str>>(args: &[T], ty: &WitFunction) -> Result<Vec<WitValue>> {
    count(args.len(), ty)?;
    let parsed = args.iter().zip(ty.params()).map(|(arg, (name, ty))| {
        parse_value(arg.as_ref(), ty).map_err(|failure| failure.at(Step::Name(name.clone())).into_error())
    });
    parsed.collect()
}

/// Parses one value of type `ty`.
///
/// A `string` is the text itself, a `char` too. Numbers and booleans are written as for core modules: decimal or hexadecimal
/// integers in the range of the type, with `_` allowed between digits; floats in decimal, hexadecimal, or `inf` and `nan`. A case
/// without a payload is its name. Any other value is JSON or, where the text is not JSON of this type, WAVE.
///
/// # Errors
/// Returns [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if `text` is not a value of type `ty`.
pub fn parse(text: &str, ty: &WitType) -> Result<WitValue> {
    parse_value(text, ty).map_err(Failure::into_error)
}

/// Formats a value so that [`parse`] reads it back: strings, characters and the names of cases without a payload as they are,
/// numbers and booleans as for core modules, everything else as JSON on one line.
///
/// # Errors
/// Returns [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if `value` does not have the type `ty`, or holds a
/// resource.
pub fn format(value: &WitValue, ty: &WitType) -> Result<String> {
    if *ty != WitType::Json
        && let Some(text) = scalar::format(value)
    {
        return Ok(text);
    }
    let json = json::encode_result(TypedResult::new(Some(value), Some(ty)))?;
    Ok(match value.as_case() {
        Some((name, None)) => name.to_owned(),
        _ => json,
    })
}

fn parse_value(text: &str, ty: &WitType) -> Result<WitValue, Failure> {
    match ty {
        WitType::String => Ok(WitValue::String(text.to_owned())),
        WitType::Char => scalar::parse_char(text).map(WitValue::Char),
        WitType::Json => decode::json_text(text),
        WitType::StringOrInteger => Ok(string_or_integer(text)),
        WitType::Bool => match text {
            "true" => Ok(WitValue::Bool(true)),
            "false" => Ok(WitValue::Bool(false)),
            _ => Err(mismatch(ty, &format!("`{}`", Escaped(text)))),
        },
        WitType::Defined(def) => match bare_case(text, &def.kind) {
            Some(value) => Ok(value),
            None => json_or_wave(text, ty),
        },
        _ if scalar::is_number(ty) => scalar::parse_number(text, ty),
        _ => Err(mismatch(ty, &format!("`{}`", Escaped(text)))),
    }
}

/// An integer, or else a string: in the quotes of JSON, or the text itself.
fn string_or_integer(text: &str) -> WitValue {
    let quoted = || serde_json::from_str(text).unwrap_or_else(|_| text.to_owned());
    scalar::wide_integer(text).and_then(scalar::integer_of_64_bits).unwrap_or_else(|| WitValue::String(quoted()))
}

/// The case without a payload that has this name. WAVE would need `%` before some names.
fn bare_case(text: &str, kind: &TypeKind) -> Option<WitValue> {
    match kind {
        TypeKind::Enum(names) => names.iter().find(|name| ***name == *text).map(|name| WitValue::Enum(name.clone())),
        TypeKind::Variant(cases) => {
            let case = cases.iter().find(|(name, payload)| **name == *text && payload.is_none());
            case.map(|(name, _)| WitValue::Variant(name.clone(), None))
        }
        _ => None,
    }
}

fn json_or_wave(text: &str, ty: &WitType) -> Result<WitValue, Failure> {
    let not_json = match json::parse(text, ty) {
        Ok(value) => return Ok(value),
        Err(refusal) => refusal,
    };
    match (not_json, wave::parse(text, ty)) {
        (_, Ok(value)) => Ok(value),
        // JSON that is also WAVE is meant as JSON.
        (Refusal::Value(failure), _) | (Refusal::Syntax(_), Err(Refusal::Value(failure))) => Err(failure),
        (Refusal::Syntax(json), Err(Refusal::Syntax(wave))) => Err(unreadable(text, ty, &json, &wave)),
    }
}

/// The failure for a text that is of neither format, for these reasons.
fn unreadable(text: &str, ty: &WitType, json: &str, wave: &str) -> Failure {
    let shown = Escaped(text);
    // `Circle` of `Circle(1)`.
    let case = text.split_once('(').filter(|(_, rest)| rest.ends_with(')')).map_or(text, |(case, _)| case);
    match ty.kind() {
        _ if text.trim().is_empty() => mismatch(ty, "empty text"),
        Some(TypeKind::Enum(names)) if is_word(text) => unknown(names, "case", text),
        Some(TypeKind::Variant(cases)) if is_word(case) && cases.iter().all(|(name, _)| **name != *case) => {
            unknown(cases, "case", case)
        }
        _ if is_word(text) => mismatch(ty, &format!("`{shown}`")),
        _ => Failure::new(format!("`{shown}` is neither JSON ({json}) nor WAVE ({wave})")),
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_')
}
