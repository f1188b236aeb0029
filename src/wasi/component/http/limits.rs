//! Limits on the parts of requests, which are in the host's memory. A component can create many.

/// The maximum size of the headers or trailers of one request in bytes, as wasmtime-wasi-http counts them.
pub(in crate::wasi::component) const MAX_FIELD_BYTES: usize = 4 << 10;

/// The maximum length of the method, scheme or authority of one request, in bytes.
pub(in crate::wasi::component) const MAX_PART: usize = 512;

/// The maximum length of the path and query of one request, in bytes.
pub(in crate::wasi::component) const MAX_PATH: usize = 2 << 10;

/// The maximum size of a piece of a request's body, in bytes. A body keeps a few of them until they are sent.
pub(super) const MAX_CHUNK: usize = 4 << 10;
