//! Serialization of values: readable in text formats (JSON), exact to the bit in binary formats (MessagePack).

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use crate::value::text;
use crate::value::types::Value;

/// Human-readable formats get numbers, and strings for values that are not JSON numbers (`"inf"`, `"nan:0x…"`, `"0x…"`). Binary
/// formats get integers, float32, float64 and 16 little-endian bytes. References are null, `{"funcref": n}` or
/// `{"externref": n}`.
impl Serialize for Value {
    #[inline]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let readable = serializer.is_human_readable();
        match *self {
            Self::I32(v) => serializer.serialize_i32(v),
            Self::I64(v) => serializer.serialize_i64(v),
            Self::F32(v) if readable && !v.is_finite() => serializer.serialize_str(&text::format(self)),
            Self::F64(v) if readable && !v.is_finite() => serializer.serialize_str(&text::format(self)),
            Self::F32(v) => serializer.serialize_f32(v),
            Self::F64(v) => serializer.serialize_f64(v),
            Self::V128(_) if readable => serializer.serialize_str(&text::format(self)),
            Self::V128(v) => serializer.serialize_bytes(&v.to_le_bytes()),
            Self::FuncRef(None) | Self::ExternRef(None) => serializer.serialize_unit(),
            Self::FuncRef(Some(n)) => reference(serializer, "funcref", u64::from(n)),
            Self::ExternRef(Some(n)) => reference(serializer, "externref", n),
        }
    }
}

fn reference<S: Serializer>(serializer: S, name: &'static str, number: u64) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(1))?;
    map.serialize_entry(name, &number)?;
    map.end()
}

/// The results of a call: none is null, one is the value itself, several are an array.
#[derive(Clone, Copy, Debug)]
pub struct Results<'a>(pub &'a [Value]);

impl Serialize for Results<'_> {
    #[inline]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            [] => serializer.serialize_unit(),
            [one] => one.serialize(serializer),
            several => {
                let mut seq = serializer.serialize_seq(Some(several.len()))?;
                for value in several {
                    seq.serialize_element(value)?;
                }
                seq.end()
            }
        }
    }
}
