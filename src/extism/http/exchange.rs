//! Sends the request of a plug-in and receives the response.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;

use super::body::Receiver;
use super::request::Request;
use crate::escape::Escaped;
use crate::extism::client::Client;
use crate::extism::function::{Call, offset_value, unsigned};
use crate::extism::state::Response;
use crate::http_client::{HttpError, drive, open, send};
use crate::network::Firewall;
use crate::runtime::host::{HintedError, HostError};
use crate::value::types::Value;

/// The maximum number of redirects of one request, as in Extism.
const MAX_REDIRECTS: u32 = 10;

/// Makes a request. Returns the offset of the response's body, or 0 if it is empty.
pub(in crate::extism) fn request(call: &mut Call<'_>, args: &[Value]) -> Result<Option<Value>, HostError> {
    let (description, body) = (unsigned(args, 0), unsigned(args, 1));
    let token = call.context.interrupt_token();
    let memory = token.status().memory();
    call.state.response = Response::default();
    let mut request = Request::parse(call.block(description)?)?;
    let copied = call.block(body)?.len() as u64;
    if !memory.take(copied) {
        return Err(format!("no memory for {copied} bytes of the request").into());
    }
    request.body = Bytes::copy_from_slice(call.block(body)?);
    let max = call.options.max_response_bytes;
    let state = &mut *call.state;
    let Client { firewall, waiter } = &mut state.client;
    let receiver = Receiver::new(&mut state.blocks, memory, max);
    let outcome = waiter.wait(exchange(firewall, request, receiver), &token);
    memory.release(copied);
    let (response, offset) = outcome??;
    state.response = response;
    // These are freed last: some plug-ins free them once more, which must not free the response.
    state.blocks.free(description);
    state.blocks.free(body);
    Ok(Some(offset_value(offset)))
}

/// Follows redirects. Each is checked as the first request.
async fn exchange(
    firewall: &Arc<Firewall>,
    mut request: Request,
    mut receiver: Receiver<'_>,
) -> Result<(Response, u64), HostError> {
    for _ in 0..=MAX_REDIRECTS {
        let (mut sender, mut connection) = match open(firewall, &request.url).await {
            Ok(opened) => opened,
            Err(error) => return Err(failure(&request, &error)),
        };
        let message = request.to_http()?;
        let work = async {
            let response = send(&mut sender, message).await.map_err(|error| failure(&request, &error))?;
            let (head, body) = response.into_parts();
            if request.redirect(head.status, &head.headers)? {
                return Ok::<_, HostError>(None);
            }
            let offset = receiver.receive(body).await.map_err(|error| match error.downcast_ref() {
                Some(broken) => failure(&request, broken),
                None => error,
            })?;
            Ok(Some((Response { status: head.status.as_u16(), headers: json(&head.headers) }, offset)))
        };
        if let Some(response) = drive(&mut connection, work).await? {
            return Ok(response);
        }
    }
    Err(format!("more than {MAX_REDIRECTS} redirects").into())
}

/// Returns the error for a request that failed.
fn failure(request: &Request, error: &HttpError) -> HostError {
    let url = Escaped(request.url.as_str());
    match error {
        HttpError::Denied(server) => {
            let message = format!("the request to `{url}` is denied: {error}");
            HintedError { message, hint: format!("use `--net {server}`") }.into()
        }
        _ => format!("the request to `{url}` failed: {error}").into(),
    }
}

/// Returns headers as a JSON object. Of several with the same name, the last one counts, as in Extism. Leaves out values that are not
/// ASCII.
fn json(headers: &HeaderMap) -> Option<String> {
    let headers = headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    serde_json::to_string(&headers.collect::<BTreeMap<_, _>>()).ok()
}
