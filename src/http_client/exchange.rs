//! Sends a request over a connection.

use http::{HeaderMap, Request, Response};
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1::SendRequest;

use super::error::HttpError;

/// The maximum size of the headers of a response in bytes.
pub(super) const MAX_HEAD_BYTES: usize = 64 << 10;

/// The bytes of an entry on the wire besides its name and value.
const SEPARATORS: usize = ": \r\n".len();

/// Sends a request. Returns the response when its head has arrived. The connection must be polled meanwhile: see
/// [`drive`](super::drive).
///
/// # Errors
/// If the connection broke or the response is not valid; [`HttpError::HeadTooLarge`].
pub(crate) async fn send<B: Body + 'static>(
    sender: &mut SendRequest<B>,
    request: Request<B>,
) -> Result<Response<Incoming>, HttpError> {
    let response = sender.send_request(request).await?;
    if size(response.headers()) > MAX_HEAD_BYTES {
        return Err(HttpError::HeadTooLarge(MAX_HEAD_BYTES));
    }
    Ok(response)
}

fn size(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + SEPARATORS).sum()
}
