//! HTTP connections for guests, by their network rules.

mod connect;
mod error;
mod tls;

pub(crate) use connect::{MAX_HEAD_BYTES, drive, open};
pub(crate) use error::HttpError;
