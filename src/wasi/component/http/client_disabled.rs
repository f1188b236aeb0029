//! Replaces the HTTP client in a build that makes no requests.

use std::future::{Future, ready};
use std::sync::Arc;

use wasmtime_wasi_http::{Error, RequestOptions, Result, WasiBody};

use super::response::Response;
use crate::network::Firewall;
use crate::runtime::host::InterruptToken;

/// Makes no requests.
pub(super) struct Client;

impl Client {
    pub(super) fn new(_: &Arc<Firewall>, _: InterruptToken) -> Self {
        Self
    }

    /// Denies a request, without looking up a name or opening a socket.
    #[expect(clippy::unused_self, reason = "the signature is that of the other build")]
    pub(super) fn send(
        &self,
        _: http::Request<WasiBody>,
        _: RequestOptions,
    ) -> impl Future<Output = Result<Response>> + Send + use<> {
        ready(Err(Error::HttpRequestDenied))
    }
}
