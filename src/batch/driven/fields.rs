//! The keys of an operation and their values, not decoded yet, in JSON or MessagePack.

use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::batch::input::split_value;
use crate::component::failure::{Failure, Refusal};
use crate::component::types::WitType;
use crate::component::value::WitValue;
use crate::component::{json, msgpack};
use crate::error::{Error, ErrorKind, Result};
use crate::runtime::callable::{CallArgs, Callable};
use crate::value::msgpack::describe;

/// What an operation looks like, as a hint.
pub(super) const EXAMPLES: &str = r#"operations are {"call":"f","args":[…]}, {"write":{"offset":0,"text":"…"}}, {"read":{"offset":0,"length":8}}, {"global":"g"} and {"restart":true}"#;

/// A value in the format of its record.
#[derive(Clone, Copy, Debug)]
pub(in crate::batch) enum Raw<'a> {
    Json(&'a RawValue),
    /// The bytes of one MessagePack value.
    Msgpack(&'a [u8]),
}

impl Raw<'_> {
    /// Decodes a value of this type.
    pub(super) fn decode(self, ty: &WitType) -> Result<WitValue, Failure> {
        match self {
            Self::Json(raw) => json::parse(raw.get(), ty).map_err(Refusal::into_failure),
            Self::Msgpack(mut bytes) => msgpack::read(&mut bytes, ty, None),
        }
    }

    /// Decodes the arguments of a function.
    ///
    /// # Errors
    /// Those of [`Callable::decode_json`] and [`Callable::decode_msgpack`].
    pub(super) fn decode_args(self, callable: &Callable) -> Result<CallArgs> {
        match self {
            Self::Json(raw) => callable.decode_json(raw.get().as_bytes()),
            Self::Msgpack(bytes) => callable.decode_msgpack(bytes),
        }
    }
}

/// The keys of a record and their values, in order.
pub(super) type Fields<'a> = Vec<(String, Raw<'a>)>;

/// Reads the keys of a JSON object.
///
/// # Errors
/// [`ErrorKind::InvalidArgument`] if it is not one JSON object.
pub(super) fn of_json(record: &[u8]) -> Result<Fields<'_>> {
    struct Pairs;
    impl<'de> Visitor<'de> for Pairs {
        type Value = Fields<'de>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(r#"an operation such as {"call":"f","args":[…]}"#)
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
            let mut fields = Vec::new();
            while let Some((key, value)) = map.next_entry::<String, &RawValue>()? {
                fields.push((key, Raw::Json(value)));
            }
            Ok(fields)
        }
    }
    let mut deserializer = serde_json::Deserializer::from_slice(record);
    let fields = deserializer.deserialize_map(Pairs).and_then(|fields| deserializer.end().map(|()| fields));
    fields.map_err(|error| invalid("JSON object", &error))
}

/// Reads the keys of a MessagePack map.
///
/// # Errors
/// [`ErrorKind::InvalidArgument`] if it is not one MessagePack map with strings as keys.
pub(super) fn of_msgpack(record: &[u8]) -> Result<Fields<'_>> {
    let (length, mut rest) = match record {
        [marker @ 0x80..=0x8f, rest @ ..] => (u32::from(marker & 0x0f), rest),
        [0xde, a, b, rest @ ..] => (u32::from(u16::from_be_bytes([*a, *b])), rest),
        [0xdf, a, b, c, d, rest @ ..] => (u32::from_be_bytes([*a, *b, *c, *d]), rest),
        _ => return Err(invalid("MessagePack map", &"it has another type")),
    };
    let mut fields = Vec::new();
    let mut next = || -> Result<&[u8]> {
        let (value, after) = split_value(rest).map_err(|reason| invalid("MessagePack map", &reason))?;
        rest = after;
        Ok(value)
    };
    for _ in 0..length {
        let key: String =
            rmp_serde::from_slice(next()?).map_err(|error| invalid("MessagePack map", &describe(error)))?;
        fields.push((key, Raw::Msgpack(next()?)));
    }
    if rest.is_empty() { Ok(fields) } else { Err(invalid("MessagePack map", &"data follows it")) }
}

fn invalid(expected: &str, reason: &dyn fmt::Display) -> Error {
    // A record is one line.
    let reason = reason.to_string().replace(" at line 1 column ", " at column ");
    let message = format!("the operation is not a valid {expected}: {reason}");
    Error::new(ErrorKind::InvalidArgument, message).with_hint(EXAMPLES)
}
