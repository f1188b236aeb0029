//! Reports as JSON and MessagePack, in the same shape.

use std::path::Path;

use serde::{Serialize, Serializer};

use crate::cli::args::{OutputFormat, ReportArgs};

/// Encodes a report in the format of `args`; `text` formats it for people.
pub(crate) fn report<T: Serialize>(report: &T, args: ReportArgs, text: impl FnOnce(&T) -> String) -> Vec<u8> {
    match args.output {
        OutputFormat::Text => text(report).into_bytes(),
        OutputFormat::Json | OutputFormat::Msgpack => encode(report, args),
    }
}

/// Encodes a value as MessagePack, or as JSON if the format is JSON or text.
pub(crate) fn encode<T: Serialize>(value: &T, args: ReportArgs) -> Vec<u8> {
    match args.output {
        OutputFormat::Msgpack => msgpack(value),
        OutputFormat::Json | OutputFormat::Text => json(value, args.pretty),
    }
}

/// Encodes a value as JSON that ends with a newline: on one line, or indented if `pretty`.
pub(crate) fn json<T: Serialize>(value: &T, pretty: bool) -> Vec<u8> {
    let encoded = if pretty { serde_json::to_vec_pretty(value) } else { serde_json::to_vec(value) };
    let mut bytes = encoded.unwrap_or_else(|error| unreachable!("a report that JSON cannot encode: {error}"));
    bytes.push(b'\n');
    bytes
}

/// Encodes a value as MessagePack, with structures as maps.
pub(crate) fn msgpack<T: Serialize>(value: &T) -> Vec<u8> {
    rmp_serde::to_vec_named(value)
        .unwrap_or_else(|error| unreachable!("a report that MessagePack cannot encode: {error}"))
}

/// Serializes a path as a string; bytes that are not UTF-8 become replacement characters.
pub(crate) fn path<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&path.display())
}
