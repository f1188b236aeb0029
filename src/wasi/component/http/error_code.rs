//! `http-error-code` of WASI 0.2. The one of wasmtime-wasi-http returns `none` for the errors of bodies.

use wasmtime::Result;
use wasmtime::component::{Linker, Resource};
use wasmtime_wasi_http::Error;
use wasmtime_wasi_http::p2::bindings::http::types::{ErrorCode, IoError};

use crate::wasi::component::interface::{p2, replace};
use crate::wasi::component::state::HasWasi;

/// Replaces the function of the linked interface.
pub(in crate::wasi::component) fn correct<T: HasWasi>(linker: &mut Linker<T>) -> Result<()> {
    let function = "http-error-code";
    let mut types = replace(linker, p2!("wasi:http/types"), &[function])?;
    types.func_wrap(function, |mut store, (error,): (Resource<IoError>,)| {
        let error = store.data_mut().wasi().table().get(&error)?;
        let code = error.downcast_ref::<ErrorCode>().cloned();
        Ok((code.or_else(|| error.downcast_ref().map(of_body)),))
    })
}

/// Converts an error of a response's body.
fn of_body(error: &Error) -> ErrorCode {
    match error {
        Error::ConnectionReadTimeout => ErrorCode::ConnectionReadTimeout,
        Error::ConnectionTerminated => ErrorCode::ConnectionTerminated,
        Error::HttpProtocolError => ErrorCode::HttpProtocolError,
        Error::HttpRequestBodySize(size) => ErrorCode::HttpRequestBodySize(*size),
        Error::HttpResponseIncomplete => ErrorCode::HttpResponseIncomplete,
        Error::HttpResponseTrailerSectionSize(size) => ErrorCode::HttpResponseTrailerSectionSize(*size),
        other => ErrorCode::InternalError(Some(other.to_string())),
    }
}
