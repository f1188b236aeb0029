//! Ids of records, which come back with their results.

use std::borrow::Cow;

use serde_json::Value;

/// The id of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Id<'a> {
    /// A JSON value, as it is written in the record.
    Json(&'a str),
    /// A MessagePack value.
    Msgpack(&'a [u8]),
    /// Text, such as the field of a row.
    Text(&'a str),
    /// An integer of a column.
    #[cfg_attr(not(feature = "arrow"), expect(dead_code, reason = "only Arrow has columns of integers"))]
    Integer(i128),
}

/// The type of the ids of all records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(not(feature = "arrow"), expect(dead_code, reason = "only Arrow has columns of integers"))]
pub(super) enum IdType {
    /// Text, or values of any type as JSON.
    #[default]
    Text,
    /// Integers of at most 64 bits.
    Signed,
    /// Integers of 64 bits that are never negative.
    Unsigned,
}

impl<'a> Id<'a> {
    /// Appends the id as a JSON value; null if JSON does not have it.
    pub(super) fn write_json(self, output: &mut Vec<u8>) {
        let written = match self {
            Self::Json(json) => {
                output.extend_from_slice(json.as_bytes());
                Ok(())
            }
            Self::Msgpack(_) => serde_json::to_writer(output, &self.value()),
            Self::Text(text) => serde_json::to_writer(output, text),
            Self::Integer(integer) => serde_json::to_writer(output, &integer),
        };
        written.unwrap_or_else(|error| unreachable!("JSON in memory: {error}"));
    }

    /// Appends the id as a MessagePack value.
    pub(super) fn write_msgpack(self, output: &mut Vec<u8>) {
        let written = match self {
            Self::Msgpack(bytes) => {
                output.extend_from_slice(bytes);
                Ok(())
            }
            Self::Json(_) => rmp_serde::encode::write(output, &self.value()),
            Self::Text(text) => rmp_serde::encode::write(output, text),
            Self::Integer(integer) => write_integer(integer, output),
        };
        written.unwrap_or_else(|error| unreachable!("MessagePack in memory: {error}"));
    }

    /// Returns the id as text: a string as it is, nothing for null, any other value as JSON.
    pub(super) fn to_text(self) -> Cow<'a, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text),
            Self::Json(json) if !json.starts_with(['"', 'n']) => Cow::Borrowed(json),
            _ => Cow::Owned(match self.value() {
                Value::Null => String::new(),
                Value::String(text) => text,
                other => other.to_string(),
            }),
        }
    }

    /// Whether JSON has the id.
    pub(super) fn is_json(self) -> bool {
        !matches!(self, Self::Msgpack(bytes) if rmp_serde::from_slice::<Value>(bytes).is_err())
    }

    /// Returns the id as a JSON value; null if JSON does not have it.
    pub(super) fn value(self) -> Value {
        match self {
            Self::Json(json) => serde_json::from_str(json).unwrap_or_default(),
            Self::Msgpack(bytes) => rmp_serde::from_slice(bytes).unwrap_or_default(),
            Self::Text(text) => Value::from(text),
            Self::Integer(integer) => integer.to_string().parse().map_or(Value::Null, Value::Number),
        }
    }
}

/// Appends an integer of at most 64 bits.
fn write_integer(integer: i128, output: &mut Vec<u8>) -> Result<(), rmp_serde::encode::Error> {
    match (i64::try_from(integer), u64::try_from(integer)) {
        (Ok(integer), _) => rmp_serde::encode::write(output, &integer),
        (_, Ok(integer)) => rmp_serde::encode::write(output, &integer),
        _ => rmp_serde::encode::write(output, &()),
    }
}
