//! HTTP connections for guests, by their network rules.

mod connect;
mod connection;
mod error;
mod exchange;
mod tls;

pub(crate) use connect::open;
#[cfg(feature = "components")]
pub(crate) use connection::Connection;
pub(crate) use connection::drive;
pub(crate) use error::HttpError;
pub(crate) use exchange::send;
