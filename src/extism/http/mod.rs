//! HTTP requests of plug-ins.

mod body;
mod exchange;
mod redirect;
mod request;

pub(super) use exchange::request;
