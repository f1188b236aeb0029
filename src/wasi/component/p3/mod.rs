//! WASI 0.3.

mod interfaces;
mod lookup;
mod new_socket;
mod random;
mod relay;
mod remove_dir;
mod requests;
mod stdout;
mod tcp_streams;

pub(super) use interfaces::find;
