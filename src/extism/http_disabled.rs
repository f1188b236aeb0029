//! HTTP requests of plug-ins in a build without the feature `http`, which denies them.

use serde::Deserialize;

use super::function::{Call, MAX_READ, unsigned};
use crate::escape::Escaped;
use crate::runtime::host::{HintedError, HostError};
use crate::value::types::Value;

/// The part of a request that the error names.
#[derive(Deserialize)]
struct Request {
    url: String,
}

/// Denies a request.
pub(super) fn request(call: &mut Call<'_>, args: &[Value]) -> Result<Option<Value>, HostError> {
    let request = call.block(unsigned(args, 0))?;
    if request.len() > MAX_READ {
        return Err("the request is denied: this host makes no HTTP requests".into());
    }
    let request: Request =
        serde_json::from_slice(request).map_err(|error| format!("the request is not valid: {error}"))?;
    let message = format!("the request to `{}` is denied: this host makes no HTTP requests", Escaped(&request.url));
    Err(HintedError { message, hint: "build with `--features http`".to_owned() }.into())
}
