//! HTTP connections for guests, by their network rules.

mod connect;
mod error;
mod tls;

pub(crate) use connect::{drive, open};
pub(crate) use error::HttpError;
