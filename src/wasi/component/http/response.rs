//! The result of a request.

use std::future::Future;

use wasmtime_wasi_http::{Result, WasiBody};

/// A response, and the future that does the rest of the connection's work.
pub(super) type Response = (http::Response<WasiBody>, Box<dyn Future<Output = Result<()>> + Send>);
