//! Arrow IPC streams: columns are parameters and results, rows are records.

mod append;
mod builder;
mod check;
mod column;
mod core_values;
mod formats;
mod length;
mod message;
mod output;
mod params;
mod records;
mod source;
mod unsupported;
mod wit_types;
mod wit_values;

pub(super) use formats::{decoder, encoder, head, source, tail};
pub(super) use output::check;
pub(super) use records::ArrowRecords;
