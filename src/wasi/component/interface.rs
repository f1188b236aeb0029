//! How to link one interface.

use wasmtime::component::Linker;

/// Links one interface.
pub(super) struct Link<T: 'static> {
    pub(super) add: fn(&mut Linker<T>) -> wasmtime::Result<()>,
    pub(super) uses_reactor: bool,
}

impl<T> Link<T> {
    /// An interface without timers and sockets.
    pub(super) fn plain(add: fn(&mut Linker<T>) -> wasmtime::Result<()>) -> Self {
        Self { add, uses_reactor: false }
    }

    /// An interface whose functions use timers or sockets.
    pub(super) fn with_reactor(add: fn(&mut Linker<T>) -> wasmtime::Result<()>) -> Self {
        Self { add, uses_reactor: true }
    }
}
