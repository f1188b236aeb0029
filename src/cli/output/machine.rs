//! JSON and MessagePack of anything that serialises, the same shape in both.

use std::path::Path;

use serde::{Serialize, Serializer};

use crate::cli::args::{OutputFormat, ReportArgs};

/// A report as it is asked for: for people, by `text`, or for machines.
pub(crate) fn shown<T: Serialize>(report: &T, how: ReportArgs, text: impl FnOnce(&T) -> String) -> Vec<u8> {
    match how.output {
        OutputFormat::Text => text(report).into_bytes(),
        format => encode(report, format, how.pretty),
    }
}

/// A value in a format of machines; what has no text of its own is JSON for people, too.
pub(crate) fn encode<T: Serialize>(value: &T, format: OutputFormat, pretty: bool) -> Vec<u8> {
    match format {
        OutputFormat::Msgpack => msgpack(value),
        OutputFormat::Json | OutputFormat::Text => json(value, pretty),
    }
}

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
