//! `wasi:http`: components that only might use it run, but every request is denied.

use std::future::{Future, ready};

use wasmtime_wasi_http::{Error, RequestOptions, Result, WasiBody, WasiHttpHooks};

/// The maximum size of the headers of one request or response, in bytes. They are in the host's memory, and a component can
/// create many.
pub(super) const MAX_FIELD_BYTES: usize = 4 << 10;

/// The maximum length of the method, scheme, authority or path of one request, in bytes.
pub(super) const MAX_PART: usize = 1 << 10;

/// The maximum size of a piece of a request's body, in bytes. No piece leaves the host's memory.
const MAX_CHUNK: usize = 4 << 10;

/// Denies every request with `HTTP-request-denied`, without looking up a name or opening a socket.
#[derive(Clone, Copy, Debug)]
pub(super) struct DenyRequests;

/// The response of a request, and the rest of the connection's work.
type Response = (http::Response<WasiBody>, Box<dyn Future<Output = Result<()>> + Send>);

impl WasiHttpHooks for DenyRequests {
    fn send_request(
        &mut self,
        _: http::Request<WasiBody>,
        _: Option<RequestOptions>,
        _: Box<dyn Future<Output = Result<()>> + Send>,
    ) -> Box<dyn Future<Output = Result<Response>> + Send> {
        Box::new(ready(Err(Error::HttpRequestDenied)))
    }

    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        MAX_CHUNK
    }

    #[cfg(feature = "wasi-p3")]
    fn p3_outgoing_body_chunk_size(&mut self) -> usize {
        MAX_CHUNK
    }
}
