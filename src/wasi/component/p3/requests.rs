//! Limits on the strings of HTTP requests in WASI 0.3, which are in the host's memory.

use wasmtime::Result;
use wasmtime::component::{Linker, Resource};
use wasmtime_wasi_http::p3::bindings::http::types::{HostRequest as _, Method, Request, Scheme};

use crate::wasi::component::http::{MAX_PART, MAX_PATH};
use crate::wasi::component::interface::{p3, replace};
use crate::wasi::component::state::HasWasi;

/// Replaces the functions of a linked interface that set a string.
pub(super) fn limit<T: HasWasi>(linker: &mut Linker<T>) -> Result<()> {
    let [set_method, set_scheme, set_authority, set_path] = [
        "[method]request.set-method",
        "[method]request.set-scheme",
        "[method]request.set-authority",
        "[method]request.set-path-with-query",
    ];
    let functions = [set_method, set_scheme, set_authority, set_path];
    let mut types = replace(linker, p3!("wasi:http/types"), &functions)?;
    types.func_wrap(set_method, |mut store, (request, method): (Resource<Request>, Method)| {
        if matches!(&method, Method::Other(name) if name.len() > MAX_PART) {
            return Ok((Err(()),));
        }
        Ok((store.data_mut().wasi().http().set_method(request, method)?,))
    })?;
    types.func_wrap(set_scheme, |mut store, (request, scheme): (Resource<Request>, Option<Scheme>)| {
        if matches!(&scheme, Some(Scheme::Other(name)) if name.len() > MAX_PART) {
            return Ok((Err(()),));
        }
        Ok((store.data_mut().wasi().http().set_scheme(request, scheme)?,))
    })?;
    types.func_wrap(set_authority, |mut store, (request, name): (Resource<Request>, Option<String>)| {
        if name.as_ref().is_some_and(|name| name.len() > MAX_PART) {
            return Ok((Err(()),));
        }
        Ok((store.data_mut().wasi().http().set_authority(request, name)?,))
    })?;
    types.func_wrap(set_path, |mut store, (request, path): (Resource<Request>, Option<String>)| {
        if path.as_ref().is_some_and(|path| path.len() > MAX_PATH) {
            return Ok((Err(()),));
        }
        Ok((store.data_mut().wasi().http().set_path_with_query(request, path)?,))
    })
}
