//! Limits on the strings of HTTP requests, which are in the host's memory.

use wasmtime::Result;
use wasmtime::component::{Linker, Resource};
use wasmtime_wasi_http::p2::bindings::http::types::{HostOutgoingRequest as _, Method, OutgoingRequest, Scheme};

use super::http::{MAX_PART, MAX_PATH};
use super::interface::{p2, replace};
use super::state::HasWasi;

/// Replaces the functions of a linked interface that set a string.
pub(super) fn limit<T: HasWasi>(linker: &mut Linker<T>) -> Result<()> {
    let [set_method, set_scheme, set_authority, set_path] = [
        "[method]outgoing-request.set-method",
        "[method]outgoing-request.set-scheme",
        "[method]outgoing-request.set-authority",
        "[method]outgoing-request.set-path-with-query",
    ];
    let functions = [set_method, set_scheme, set_authority, set_path];
    let mut types = replace(linker, p2!("wasi:http/types"), &functions)?;
    types.func_wrap(set_method, |mut store, (request, method): (Resource<OutgoingRequest>, Method)| {
        if matches!(&method, Method::Other(name) if name.len() > MAX_PART) {
            return Ok((Err(()),));
        }
        Ok((store.data_mut().wasi().http().set_method(request, method)?,))
    })?;
    types.func_wrap(set_scheme, |mut store, (request, scheme): (Resource<OutgoingRequest>, Option<Scheme>)| {
        if matches!(&scheme, Some(Scheme::Other(name)) if name.len() > MAX_PART) {
            return Ok((Err(()),));
        }
        Ok((store.data_mut().wasi().http().set_scheme(request, scheme)?,))
    })?;
    types.func_wrap(set_authority, |mut store, (request, name): (Resource<OutgoingRequest>, Option<String>)| {
        if name.as_ref().is_some_and(|name| name.len() > MAX_PART) {
            return Ok((Err(()),));
        }
        Ok((store.data_mut().wasi().http().set_authority(request, name)?,))
    })?;
    types.func_wrap(set_path, |mut store, (request, path): (Resource<OutgoingRequest>, Option<String>)| {
        if path.as_ref().is_some_and(|path| path.len() > MAX_PATH) {
            return Ok((Err(()),));
        }
        Ok((store.data_mut().wasi().http().set_path_with_query(request, path)?,))
    })
}
