//! JSON as text whose numbers keep their spelling.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Error, Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::value::RawValue;

/// The deepest nesting that `serde_json` reads.
const MAX_DEPTH: usize = 127;

/// One JSON value as text.
///
/// In JSON, numbers are serialized as they are spelled. In binary formats, integers of up to 64 bits are integers, and all other
/// numbers are float64. Serialization fails if the text is not valid.
#[derive(Clone, Copy, Debug)]
pub(crate) struct JsonText<'a>(&'a str);

impl<'a> JsonText<'a> {
    /// Wraps a text that may be invalid.
    pub(crate) fn new(text: &'a str) -> Self {
        Self(text)
    }

    /// Checks that a text is one JSON value that any reader accepts: at most 127 levels deep, with numbers in the range of
    /// float64, and without unpaired surrogates.
    ///
    /// # Errors
    /// The reason, with the position.
    pub(crate) fn check(text: &'a str) -> Result<Self, serde_json::Error> {
        serde_json::from_str::<Valid>(text).map(|_| Self(text))
    }

    /// Returns the text without white space between values.
    ///
    /// # Errors
    /// The reason, if the text is not valid.
    pub(crate) fn to_compact(self) -> Result<String, serde_json::Error> {
        serde_json::to_string(&self)
    }
}

impl Serialize for JsonText<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let cursor = Cursor { text: self.0, position: Cell::new(0) };
        let value = Part { cursor: &cursor, depth: 0 }.serialize(serializer)?;
        if cursor.peek().is_some() { Err(invalid()) } else { Ok(value) }
    }
}

fn invalid<E: Error>() -> E {
    E::custom("the value is not valid JSON")
}

/// A position in a text.
struct Cursor<'a> {
    text: &'a str,
    position: Cell<usize>,
}

impl<'a> Cursor<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.position.get()..]
    }

    /// Skips white space, and returns the next byte.
    fn peek(&self) -> Option<u8> {
        let rest = self.rest();
        self.advance(rest.len() - rest.trim_ascii_start().len());
        self.rest().bytes().next()
    }

    fn advance(&self, length: usize) {
        self.position.set(self.position.get() + length);
    }

    /// Takes this byte if it is next.
    fn take(&self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.advance(usize::from(is_next));
        is_next
    }

    /// Moves to the next element of an array or an object; returns `false` after its last.
    fn next<E: Error>(&self, is_first: bool, end: u8) -> Result<bool, E> {
        match self.peek() {
            Some(byte) if byte == end => {
                self.advance(1);
                Ok(false)
            }
            Some(_) if is_first || self.take(b',') => Ok(true),
            _ => Err(invalid()),
        }
    }

    fn string<E: Error>(&self) -> Result<Cow<'a, str>, E> {
        let text = self.rest();
        let mut end = 1;
        loop {
            match memchr::memchr2(b'"', b'\\', text.as_bytes().get(end..).unwrap_or_default()) {
                Some(at) if text.as_bytes()[end + at] == b'"' => {
                    end += at + 1;
                    break;
                }
                Some(at) => end += at + 2,
                None => return Err(invalid()),
            }
        }
        let quoted = text.get(..end).ok_or_else(invalid)?;
        self.advance(end);
        let inner = quoted.get(1..end - 1).unwrap_or_default();
        if !inner.bytes().any(|byte| byte == b'\\' || byte < b' ') && quoted.starts_with('"') {
            return Ok(Cow::Borrowed(inner));
        }
        serde_json::from_str(quoted).map(Cow::Owned).map_err(E::custom)
    }

    /// Takes a number, or a word.
    fn word(&self) -> &'a str {
        let rest = self.rest();
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
        let word = &rest[..rest.bytes().take_while(is_part).count()];
        self.advance(word.len());
        word
    }
}

/// The value at a cursor, which serialization moves behind it.
struct Part<'c, 'a> {
    cursor: &'c Cursor<'a>,
    depth: usize,
}

impl Serialize for Part<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { cursor, depth } = *self;
        let inner = Self { cursor, depth: depth + 1 };
        let next = cursor.peek();
        if matches!(next, Some(b'{' | b'[')) && depth == MAX_DEPTH {
            return Err(invalid());
        }
        match next {
            Some(b'{') => {
                cursor.advance(1);
                let (mut map, mut is_first) = (serializer.serialize_map(None)?, true);
                while cursor.next(is_first, b'}')? {
                    is_first = false;
                    cursor.peek();
                    let key = cursor.string()?;
                    if !cursor.take(b':') {
                        return Err(invalid());
                    }
                    map.serialize_entry(&key, &inner)?;
                }
                map.end()
            }
            Some(b'[') => {
                cursor.advance(1);
                let (mut seq, mut is_first) = (serializer.serialize_seq(None)?, true);
                while cursor.next(is_first, b']')? {
                    is_first = false;
                    seq.serialize_element(&inner)?;
                }
                seq.end()
            }
            Some(b'"') => serializer.serialize_str(&cursor.string()?),
            _ => match cursor.word() {
                "null" => serializer.serialize_unit(),
                "true" => serializer.serialize_bool(true),
                "false" => serializer.serialize_bool(false),
                number => serialize_number(number, serializer),
            },
        }
    }
}

fn serialize_number<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    let number: &RawValue = serde_json::from_str(text).map_err(|_| invalid())?;
    if serializer.is_human_readable() {
        return number.serialize(serializer);
    }
    match (text.parse(), text.parse()) {
        (Ok(signed), _) => serializer.serialize_i64(signed),
        (_, Ok(unsigned)) => serializer.serialize_u64(unsigned),
        _ => serializer.serialize_f64(text.parse().map_err(|_| invalid())?),
    }
}

/// Reads any JSON value, and keeps nothing of it.
struct Valid;

impl<'de> Deserialize<'de> for Valid {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        source.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Valid {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self, A::Error> {
        while seq.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self, A::Error> {
        while map.next_entry::<Self, Self>()?.is_some() {}
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_keeps_numbers_and_order_and_loses_white_space() {
        let text =
            " {\"b\" : [1.10, 1e2,-0, 123456789012345678901234567890], \"a\\n\" : {} , \"b\": \"\\u00e9\\\"\"\n} ";
        let compact = JsonText::check(text).unwrap().to_compact().unwrap();
        assert_eq!(compact, r#"{"b":[1.10,1e2,-0,123456789012345678901234567890],"a\n":{},"b":"é\""}"#);
    }

    #[test]
    fn messagepack_gets_numbers() {
        let packed = rmp_serde::to_vec(&JsonText::new("[1,-1,1.5,18446744073709551615,[null,true,\"é\"],{}]")).unwrap();
        let (numbers, half) = ([0x96, 0x01, 0xff, 0xcb], 1.5_f64.to_be_bytes());
        let rest = [0xcf, 255, 255, 255, 255, 255, 255, 255, 255, 0x93, 0xc0, 0xc3, 0xa2, 0xc3, 0xa9, 0x80];
        assert_eq!(packed, [&numbers[..], &half, &rest].concat());
    }

    #[test]
    fn other_text_is_refused() {
        let deep = format!("{}{}", "[".repeat(128), "]".repeat(128));
        let invalid = [
            "",
            "[1",
            "[1,]",
            "[1 2]",
            "{1:2}",
            "{\"a\"}",
            "{\"a\":1,}",
            "nul",
            "1 2",
            "[,1]",
            "\"a",
            "\"\\",
            "01",
            "+1",
            "a",
            "'a'",
            "{a:1}",
            "\"\\ud800\"",
            "\"\n\"",
            "\u{feff}1",
            &deep,
        ];
        for text in invalid {
            assert!(JsonText::check(text).is_err(), "{text}");
            assert!(JsonText::new(text).to_compact().is_err(), "{text}");
        }
        let deep = format!("{}{}", "[".repeat(127), "]".repeat(127));
        assert_eq!(JsonText::check(&deep).unwrap().to_compact().unwrap(), deep);
    }
}
