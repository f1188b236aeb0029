//! JSON and MessagePack of anything that serialises, the same shape in both.

use std::path::Path;

use serde::{Serialize, Serializer};

/// One line of JSON, or an indented document; ends in a newline.
pub(crate) fn json<T: Serialize>(value: &T, pretty: bool) -> Vec<u8> {
    let encoded = if pretty { serde_json::to_vec_pretty(value) } else { serde_json::to_vec(value) };
    let mut bytes = encoded.unwrap_or_else(|error| unreachable!("a report is JSON: {error}"));
    bytes.push(b'\n');
    bytes
}

/// MessagePack, structures as maps.
pub(crate) fn msgpack<T: Serialize>(value: &T) -> Vec<u8> {
    rmp_serde::to_vec_named(value).unwrap_or_else(|error| unreachable!("a report is MessagePack: {error}"))
}

/// A path, as text: what of it is none is told as such, since neither format has another way.
pub(crate) fn path<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&path.display())
}
