//! How wasmtime-wasi-http sends requests.

use std::future::Future;
use std::sync::Arc;

use wasmtime_wasi_http::{RequestOptions, Result, WasiBody, WasiHttpHooks};

use super::client::Client;
use super::limits::MAX_CHUNK;
use super::response::Response;
use crate::network::Firewall;
use crate::runtime::host::InterruptToken;

/// Sends the requests of one instance.
pub(in crate::wasi::component) struct Requests {
    client: Client,
}

impl Requests {
    /// Creates the requests of an instance with these rules. The instance's limit on memory applies to response headers.
    pub(in crate::wasi::component) fn new(firewall: &Arc<Firewall>, instance: InterruptToken) -> Self {
        Self { client: Client::new(firewall, instance) }
    }
}

impl WasiHttpHooks for Requests {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Box<dyn Future<Output = Result<()>> + Send>,
    ) -> Box<dyn Future<Output = Result<Response>> + Send> {
        Box::new(self.client.send(request, options.unwrap_or_default()))
    }

    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        MAX_CHUNK
    }

    #[cfg(feature = "wasi-p3")]
    fn p3_outgoing_body_chunk_size(&mut self) -> usize {
        MAX_CHUNK
    }
}
