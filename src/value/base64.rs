//! Bytes in JSON.

use base64::display::Base64Display;
use base64::engine::general_purpose::STANDARD;
use serde::ser::{Serialize, SerializeMap, Serializer};

/// Bytes as `{"base64": "…"}`.
#[derive(Clone, Copy, Debug)]
pub struct Base64Object<'a>(pub &'a [u8]);

impl Serialize for Base64Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Text<'a>(&'a [u8]);
        impl Serialize for Text<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(&Base64Display::new(self.0, &STANDARD))
            }
        }
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry("base64", &Text(self.0))?;
        map.end()
    }
}
