//! Formats of records: how a stream is split into records, and how these are decoded.

mod call;
mod columns;
mod csv;
mod delimited;
mod explain;
mod framed;
mod json;
mod lines;
mod msgpack;
mod msgpack_call;
mod open;
mod row;
mod value_frame;
mod value_scan;

pub(super) use columns::counted_columns;
#[cfg(feature = "arrow")]
pub(super) use columns::layout_by_names;
pub(super) use lines::bytes_of;
#[cfg(feature = "arrow")]
pub(super) use lines::too_long;
pub(super) use open::{decoder, source};
pub(super) use value_scan::split_value;
