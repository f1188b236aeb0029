//! Explains why a record that is an object is neither a call nor an argument.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::component::types::{TypeKind, WitFunction, WitType};
use crate::error::Error;
use crate::escape::Escaped;
use crate::runtime::callable::{Callable, CallableType};
use crate::value::types::ValType;

/// The keys of a call.
const CALL: &str = "a record that is an object has the keys `args` and optionally `id`";

/// Facts about the keys of an object in JSON or a map in MessagePack.
#[derive(Default)]
pub(super) struct Keys {
    /// The first that is no key of a call.
    unknown: Option<String>,
    /// How many times there is `args`.
    args: usize,
    /// How many times there is `id`.
    ids: usize,
}

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        struct KeysVisitor;
        impl<'de> Visitor<'de> for KeysVisitor {
            type Value = Keys;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Keys, A::Error> {
                let mut keys = Keys::default();
                while let Some((key, IgnoredAny)) = map.next_entry::<String, _>()? {
                    match key.as_str() {
                        "args" => keys.args += 1,
                        "id" => keys.ids += 1,
                        _ => _ = keys.unknown.get_or_insert(key),
                    }
                }
                Ok(keys)
            }
        }
        source.deserialize_map(KeysVisitor)
    }
}

/// Explains the error of a record with these keys that is no call, and was therefore decoded as the only argument.
pub(super) fn no_call(error: Error, keys: &Keys, callable: &Callable) -> Error {
    let argument = only_param(callable).filter(Param::takes_objects);
    let message = match (argument, &keys.unknown, keys.args, keys.ids) {
        // The record is the argument, as the error says.
        (Some(argument), ..) if argument.has_field("args") || argument.has_field("id") => return error,
        (Some(_), _, 0, 0) => return error,
        (Some(_), Some(_), 0, _) => {
            format!("{}; with an id, the argument goes in `args`: {{\"id\":…,\"args\":[…]}}", error.message())
        }
        (_, Some(unknown), ..) => format!("unknown key `{}`: {CALL}", Escaped(unknown)),
        (_, None, 0, _) => format!("the key `args` is missing: {CALL}"),
        (_, None, 2.., _) => format!("the key `args` is repeated: {CALL}"),
        (_, None, _, 2..) => format!("the key `id` is repeated: {CALL}"),
        _ => return error,
    };
    with_message(&error, message)
}

/// Explains the error of a call whose object would be an argument: a record with the fields `args` and perhaps `id`.
pub(super) fn call_like_argument(error: &Error) -> Error {
    let message = format!(
        "{}; an object with these keys is a call: write it in an array to pass it as the argument",
        error.message()
    );
    with_message(error, message)
}

/// Leaves out the number of the line at the end of an error in JSON, which is always 1: a record is one line.
#[cold]
pub(super) fn in_one_line(error: Error) -> Error {
    const LINE: &str = " at line 1 column ";
    match error.message().rsplit_once(LINE) {
        Some((reason, column)) => with_message(&error, format!("{reason} at column {column}")),
        None => error,
    }
}

fn with_message(error: &Error, message: String) -> Error {
    error.hints().iter().fold(Error::new(error.kind(), message), Error::with_hint)
}

/// The type of the only parameter of a function.
enum Param<'a> {
    Core(&'a ValType),
    Wit(&'a WitType),
}

fn only_param(callable: &Callable) -> Option<Param<'_>> {
    match (callable.ty(), callable.wit_type().map(WitFunction::params)) {
        (CallableType::Core(ty), _) => match ty.params() {
            [only] => Some(Param::Core(only)),
            _ => None,
        },
        (_, Some([(_, only)])) => Some(Param::Wit(only)),
        _ => None,
    }
}

impl Param<'_> {
    /// Whether some values of the type are objects in JSON.
    fn takes_objects(&self) -> bool {
        match self {
            Self::Core(ty) => matches!(ty, ValType::V128),
            Self::Wit(WitType::Json) => true,
            Self::Wit(ty) => matches!(
                ty.kind(),
                Some(
                    TypeKind::Record(_)
                        | TypeKind::Variant(_)
                        | TypeKind::Map(..)
                        | TypeKind::Option(_)
                        | TypeKind::Result { .. }
                        | TypeKind::List(WitType::U8)
                )
            ),
        }
    }

    fn has_field(&self, name: &str) -> bool {
        match self {
            Self::Wit(ty) => match ty.kind() {
                Some(TypeKind::Record(fields)) => fields.iter().any(|(field, _)| &**field == name),
                _ => false,
            },
            Self::Core(_) => false,
        }
    }
}
