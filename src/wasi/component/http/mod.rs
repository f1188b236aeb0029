//! `wasi:http`: requests of components, by their network rules.

#[cfg(feature = "http")]
mod body;
#[cfg_attr(not(feature = "http"), path = "client_disabled.rs")]
mod client;
mod error_code;
#[cfg(feature = "http")]
mod errors;
#[cfg(feature = "http")]
mod fields;
mod limits;
mod requests;
mod response;

pub(super) use error_code::correct;
pub(super) use limits::{MAX_FIELD_BYTES, MAX_PART, MAX_PATH};
pub(super) use requests::Requests;
