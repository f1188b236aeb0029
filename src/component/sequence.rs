//! Decodes lists, tuples, maps and bytes.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::component::context::{LabelOf, duplicate};
use crate::component::decode::Typed;
use crate::component::failure::{Failure, Step};
use crate::component::scalar;
use crate::component::types::WitType;
use crate::component::value::WitValue;

/// The most elements that memory is reserved for because the input announces them.
const MAX_RESERVED: usize = 1024;

impl<'t> Typed<'t> {
    pub(crate) fn list<'de, A: SeqAccess<'de>>(self, mut seq: A, ty: &'t WitType) -> Result<WitValue, A::Error> {
        let mut values = Vec::with_capacity(seq.size_hint().unwrap_or(0).min(MAX_RESERVED));
        while let Some(value) = self.element(&mut seq, ty, values.len())? {
            values.push(value);
        }
        Ok(WitValue::List(values))
    }

    pub(crate) fn bytes<'de, A: SeqAccess<'de>>(self, mut seq: A) -> Result<WitValue, A::Error> {
        let mut bytes = Vec::with_capacity(seq.size_hint().unwrap_or(0).min(MAX_RESERVED));
        while let Some(value) = self.element(&mut seq, &WitType::U8, bytes.len())? {
            let WitValue::U8(byte) = value else { return self.mismatch("another value") };
            bytes.push(byte);
        }
        Ok(WitValue::Bytes(bytes))
    }

    pub(crate) fn fixed_list<'de, A: SeqAccess<'de>>(
        self,
        mut seq: A,
        ty: &'t WitType,
        length: usize,
    ) -> Result<WitValue, A::Error> {
        let mut values = Vec::with_capacity(length.min(MAX_RESERVED));
        while values.len() < length {
            match self.element(&mut seq, ty, values.len())? {
                Some(value) => values.push(value),
                None => return self.mismatch(&format!("one of {}", values.len())),
            }
        }
        self.end(seq, length)?;
        Ok(WitValue::List(values))
    }

    pub(crate) fn tuple<'de, A: SeqAccess<'de>>(self, mut seq: A, types: &'t [WitType]) -> Result<WitValue, A::Error> {
        let mut values = Vec::with_capacity(types.len());
        for ty in types {
            match self.element(&mut seq, ty, values.len())? {
                Some(value) => values.push(value),
                None => return self.mismatch(&format!("one of {}", values.len())),
            }
        }
        self.end(seq, types.len())?;
        Ok(WitValue::Tuple(values))
    }

    fn element<'de, A: SeqAccess<'de>>(
        self,
        seq: &mut A,
        ty: &'t WitType,
        index: usize,
    ) -> Result<Option<WitValue>, A::Error> {
        self.context.at(seq.next_element_seed(self.part(ty)), || Step::Index(index))
    }

    /// Checks that an array ends after `length` elements.
    fn end<'de, A: SeqAccess<'de>>(self, mut seq: A, length: usize) -> Result<(), A::Error> {
        let mut count = length;
        while seq.next_element::<IgnoredAny>()?.is_some() {
            count += 1;
        }
        if count == length { Ok(()) } else { self.mismatch(&format!("one of {count}")) }
    }

    /// A map as an object, or as a MessagePack map.
    pub(crate) fn string_map<'de, A: MapAccess<'de>>(self, mut map: A, ty: &'t WitType) -> Result<WitValue, A::Error> {
        let (mut entries, mut keys) = (Vec::new(), HashSet::new());
        while let Some(key) = map.next_key_seed(self.part(&WitType::String))? {
            let WitValue::String(key) = key else { return self.mismatch("another key") };
            if !keys.insert(key.clone()) {
                return self.fail(duplicate("key", &key));
            }
            let value = self.context.at(map.next_value_seed(self.part(ty)), || Step::Key(key.clone()))?;
            entries.push((WitValue::String(key), value));
        }
        Ok(WitValue::Map(entries))
    }

    /// A map as an array of pairs.
    pub(crate) fn pairs<'de, A: SeqAccess<'de>>(
        self,
        mut seq: A,
        key: &'t WitType,
        value: &'t WitType,
    ) -> Result<WitValue, A::Error> {
        let (mut entries, mut keys) = (Vec::new(), HashSet::new());
        loop {
            let pair = seq.next_element_seed(PairOf { map: self, types: [key, value] });
            let Some((key, value)) = self.context.at(pair, || Step::Index(entries.len()))? else { break };
            let shown = scalar::format(&key);
            if keys.contains(&shown) {
                return self
                    .fail(duplicate("key", shown.as_deref().unwrap_or_default()).at(Step::Index(entries.len())));
            }
            keys.insert(shown);
            entries.push((key, value));
        }
        Ok(WitValue::Map(entries))
    }

    /// Bytes as `{"base64": "…"}`.
    pub(crate) fn base64<'de, A: MapAccess<'de>>(self, mut map: A) -> Result<WitValue, A::Error> {
        let label = LabelOf { labels: &["base64"], first: 0, what: "field", context: self.context };
        if map.next_key_seed(label)?.is_none() {
            return self.mismatch("an empty object");
        }
        let text = self.context.at(map.next_value_seed(self.part(&WitType::String)), || Step::Payload("base64"))?;
        if map.next_key::<IgnoredAny>()?.is_some() {
            return self.mismatch("an object with several keys");
        }
        let WitValue::String(text) = text else { return self.mismatch("another value") };
        let bytes = scalar::parse_base64(&text).map_err(|failure| failure.at(Step::Payload("base64")));
        self.check(bytes.map(WitValue::Bytes))
    }
}

/// Decodes `[key, value]`.
#[derive(Clone, Copy)]
struct PairOf<'t> {
    map: Typed<'t>,
    types: [&'t WitType; 2],
}

impl<'de> DeserializeSeed<'de> for PairOf<'_> {
    type Value = (WitValue, WitValue);

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<Self::Value, D::Error> {
        source.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for PairOf<'_> {
    type Value = (WitValue, WitValue);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a [key, value] pair")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let key = self.map.element(&mut seq, self.types[0], 0)?;
        let value = self.map.element(&mut seq, self.types[1], 1)?;
        match (key, value, seq.next_element::<IgnoredAny>()?) {
            (Some(key), Some(value), None) => Ok((key, value)),
            _ => self.map.fail(Failure::new("expected a [key, value] pair")),
        }
    }
}
