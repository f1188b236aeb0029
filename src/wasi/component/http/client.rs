//! Sends a request and receives the head of the response.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use http::uri::PathAndQuery;
use http_body_util::BodyExt as _;
use tokio::time::timeout;
use url::Url;
use wasmtime_wasi_http::{Error, RequestOptions, Result, WasiBody};

use super::body::ResponseBody;
use super::response::Response;
use super::{errors, fields};
use crate::http_client::{Connection, drive, open, send};
use crate::network::Firewall;
use crate::runtime::host::InterruptToken;

/// The timeouts of a request whose options set none, as in wasmtime-wasi-http.
const DEFAULT_TIMEOUT: Duration = Duration::from_mins(10);

/// The HTTP client of an instance. Each request has its own connection. It follows no redirects, uses no proxy and adds only the
/// header `host`.
pub(super) struct Client {
    firewall: Arc<Firewall>,
    instance: InterruptToken,
}

impl Client {
    pub(super) fn new(firewall: &Arc<Firewall>, instance: InterruptToken) -> Self {
        Self { firewall: Arc::clone(firewall), instance }
    }

    /// Sends a request, if the rules allow it. Dropping the future or its output closes the connection.
    pub(super) fn send(
        &self,
        request: http::Request<WasiBody>,
        options: RequestOptions,
    ) -> impl Future<Output = Result<Response>> + Send + use<> {
        exchange(Arc::clone(&self.firewall), self.instance.clone(), request, options)
    }
}

async fn exchange(
    firewall: Arc<Firewall>,
    instance: InterruptToken,
    mut request: http::Request<WasiBody>,
    options: RequestOptions,
) -> Result<Response> {
    let url = url(request.uri())?;
    let path = request.uri().path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
    *request.uri_mut() = Uri::from(path);

    let opening = timeout(options.connect_timeout.unwrap_or(DEFAULT_TIMEOUT), open(&firewall, &url)).await;
    let (mut sender, mut connection) = opening.map_err(|_| Error::ConnectionTimeout)?.map_err(errors::of_request)?;

    let sending = drive(&mut connection, send(&mut sender, request));
    let answer = timeout(options.first_byte_timeout.unwrap_or(DEFAULT_TIMEOUT), sending).await;
    let (mut head, body) = answer.map_err(|_| Error::ConnectionReadTimeout)?.map_err(errors::of_request)?.into_parts();

    // They may refer to the connection's buffer.
    head.extensions.clear();
    head.headers = fields::counted(&head.headers, &instance, Error::HttpResponseHeaderSectionSize)?;
    let between_bytes = options.between_bytes_timeout.unwrap_or(DEFAULT_TIMEOUT);
    let body = ResponseBody::new(body, &connection, between_bytes, instance);
    Ok((http::Response::from_parts(head, body.boxed_unsync()), Box::new(finish(connection))))
}

/// Does the rest of the connection's work.
async fn finish(connection: Connection) -> Result<()> {
    connection.await.map_err(errors::of_exchange)
}

/// Returns the URL of a request's server.
fn url(uri: &Uri) -> Result<Url> {
    let invalid = || Error::HttpRequestUriInvalid;
    let authority = uri.authority().filter(|authority| !authority.as_str().contains('@')).ok_or_else(invalid)?;
    Url::parse(&format!("{}://{authority}/", uri.scheme_str().unwrap_or("https"))).map_err(|_| invalid())
}
