//! Records in JSON that name their call: objects with `args` and perhaps `id`.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The parts of a record that is an object with `args`, perhaps with `id`, and with no other key.
#[derive(Debug)]
pub(super) struct CallParts<'a, T = &'a RawValue> {
    pub(super) id: Option<&'a RawValue>,
    pub(super) args: T,
}

impl<'a> CallParts<'a> {
    /// Reads a record; `None` if it is another value.
    pub(super) fn read(record: &'a [u8]) -> Option<Self> {
        CallParts::read_with(record, PhantomData)
    }
}

impl<'a, T> CallParts<'a, T> {
    /// Reads a record, and its `args` with a seed. `None` if the record is another value, or the seed does not accept the arguments.
    pub(super) fn read_with<S: DeserializeSeed<'a, Value = T>>(record: &'a [u8], seed: S) -> Option<Self> {
        if record.trim_ascii_start().first() != Some(&b'{') {
            return None;
        }
        let mut source = serde_json::Deserializer::from_slice(record);
        let parts = source.deserialize_map(CallVisitor(seed)).ok()?;
        source.end().ok().map(|()| parts)
    }
}

struct CallVisitor<S>(S);

impl<'de, S: DeserializeSeed<'de>> Visitor<'de> for CallVisitor<S> {
    type Value = CallParts<'de, S::Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with `args`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut id, mut args, mut seed) = (None, None, Some(self.0));
        while let Some(key) = map.next_key::<Key>()? {
            match (key, seed.take()) {
                (Key::Args, Some(seed)) => args = Some(map.next_value_seed(seed)?),
                (Key::Id, kept) if id.is_none() => {
                    id = Some(map.next_value()?);
                    seed = kept;
                }
                _ => return Err(A::Error::custom("a key that a call does not have")),
            }
        }
        let args = args.ok_or_else(|| A::Error::missing_field("args"))?;
        Ok(CallParts { id, args })
    }
}

/// The keys of a call.
#[derive(Clone, Copy)]
enum Key {
    Id,
    Args,
}

impl<'de> serde::Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl Visitor<'_> for KeyVisitor {
            type Value = Key;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`id` or `args`")
            }

            fn visit_str<E: Error>(self, key: &str) -> Result<Key, E> {
                match key {
                    "id" => Ok(Key::Id),
                    "args" => Ok(Key::Args),
                    _ => Err(E::custom("a key that a call does not have")),
                }
            }
        }
        source.deserialize_str(KeyVisitor)
    }
}
