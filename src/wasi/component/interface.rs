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

/// Links an interface by the bindings of wasmtime-wasi: `link_bindings!(plain, cli::exit, WasiCli, cli)` links `cli::exit` with the data of
/// type `WasiCli`, which the state returns by `cli()`. `T` must name the store's data.
macro_rules! link_bindings {
    ($how:ident, $package:ident::$interface:ident, $data:ident, $view:ident) => {
        Link::$how(|l| $package::$interface::add_to_linker::<T, $data>(l, |t| t.wasi().$view()))
    };
}
pub(in crate::wasi::component) use link_bindings;
