//! Why a request failed.

use std::error::Error;
use std::io;

use derive_more::Display;

/// Why a request failed. Servers are named with their ports.
#[derive(Debug, Display)]
pub(crate) enum HttpError {
    /// No rule allows it.
    #[display("no network rule allows `{_0}`")]
    Denied(String),
    /// The host is neither a name nor an address.
    #[display("`{_0}` is not a valid host")]
    InvalidHost(String),
    /// The resolver found no address.
    #[display("found no address of `{_0}`")]
    NotFound(String),
    /// The guest has too many sockets or lookups.
    #[display("too many connections or lookups at a time")]
    TooMany,
    /// The connection failed.
    #[display("cannot connect to `{_0}`: {_1}")]
    Connection(String, io::Error),
    /// TLS failed, also if the server's certificate is not valid.
    #[display("cannot connect to `{_0}`: {_1}")]
    Tls(String, io::Error),
    /// The headers of the response are too large.
    #[display("the response has more than {_0} bytes of headers")]
    HeadTooLarge(usize),
    /// The response is not valid HTTP, or the connection broke.
    #[display("{_0}{}", cause(_0))]
    Protocol(hyper::Error),
}

impl Error for HttpError {}

impl From<hyper::Error> for HttpError {
    fn from(error: hyper::Error) -> Self {
        Self::Protocol(error)
    }
}

/// Returns the text to add for the cause of an error.
fn cause(error: &hyper::Error) -> String {
    error.source().map(|cause| format!(": {cause}")).unwrap_or_default()
}
