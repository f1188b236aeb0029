//! Formats of results and errors.

mod columns;
mod csv;
mod failure;
mod json;
mod msgpack;
mod open;
mod raw;
mod text;

#[cfg(feature = "arrow")]
pub(super) use columns::{ColumnType, ColumnValue, ERROR_COLUMNS, ID_COLUMN, ResultColumns};
pub(super) use json::write_error;
pub(super) use open::{encoder, head, tail};
