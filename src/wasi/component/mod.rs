//! WASI 0.2 and 0.3 for components.
//!
//! A backend links the interfaces that a component imports with [`add_to_linker`]. If it linked any, each store gets a
//! [`ComponentWasi`], which its data returns as [`HasWasi`]. The backend calls [`Linked::enter`] before it instantiates or
//! calls, and keeps the guard meanwhile. [`exit_code`] tells an exit from a failure.

mod exit;
mod files;
mod http;
mod interface;
mod interfaces;
mod link;
mod lookup;
mod new_socket;
#[cfg(feature = "wasi-p3")]
mod p3;
mod random;
mod reactor;
mod remove_dir;
mod requests;
mod sockets;
mod state;

pub(crate) use exit::exit_code;
pub(crate) use link::{Linked, add_to_linker, linked_name, provides};
pub(crate) use state::{ComponentWasi, HasWasi};
