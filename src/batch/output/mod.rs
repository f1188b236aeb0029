//! Results and errors as bytes.

mod failure;
pub(super) mod json;

pub(super) use failure::RecordError;
