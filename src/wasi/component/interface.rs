//! How to link one interface.

use wasmtime::component::{Linker, LinkerInstance};

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

/// Returns the name under which wasmtime-wasi links an interface of WASI 0.2: `p2!("wasi:cli/exit")`.
macro_rules! p2 {
    ($interface:literal) => {
        concat!($interface, "@0.2.12")
    };
}
pub(in crate::wasi::component) use p2;

/// The same for WASI 0.3.
#[cfg(feature = "wasi-p3")]
macro_rules! p3 {
    ($interface:literal) => {
        concat!($interface, "@0.3.0")
    };
}
#[cfg(feature = "wasi-p3")]
pub(in crate::wasi::component) use p3;

/// Returns a linked interface, some functions or resources of which the caller replaces.
///
/// # Errors
/// If the interface lacks one of them, as after an update of wasmtime-wasi: nothing would be replaced then.
pub(in crate::wasi::component) fn replace<'l, T>(
    linker: &'l mut Linker<T>,
    interface: &str,
    items: &[&str],
) -> wasmtime::Result<LinkerInstance<'l, T>> {
    linker.allow_shadowing(false);
    let mut existing = linker.instance(interface)?;
    for item in items {
        // The linker cannot list its definitions, but it refuses to define a name twice.
        if existing.func_new(item, |_, _, _, _| Ok(())).is_ok() {
            return Err(wasmtime::Error::msg(format!("wasmtime-wasi has no `{item}` in `{interface}`")));
        }
    }
    linker.allow_shadowing(true);
    linker.instance(interface)
}

#[cfg(test)]
mod tests {
    use wasmtime::Engine;

    use super::*;

    #[test]
    fn only_functions_that_are_there_are_replaced() {
        let mut linker = Linker::<()>::new(&Engine::default());
        linker.instance("a:b/c@1.0.0").unwrap().func_wrap("there", |_, (): ()| Ok(())).unwrap();
        let mut interface = replace(&mut linker, "a:b/c@1.0.0", &["there"]).unwrap();
        interface.func_wrap("there", |_, (_,): (u32,)| Ok(())).unwrap();
        for (interface, function) in [("a:b/c@1.0.0", "missing"), ("a:b/c@1.0.1", "there")] {
            let error = replace(&mut linker, interface, &["there", function]).err().unwrap();
            let expected = format!("wasmtime-wasi has no `{function}` in `{interface}`");
            assert_eq!(error.to_string(), expected);
        }
    }
}
