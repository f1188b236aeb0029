//! The interfaces of WASI 0.3.

use wasmtime_wasi::cli::{WasiCli, WasiCliView as _};
use wasmtime_wasi::clocks::{WasiClocks, WasiClocksView as _};
use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemView as _};
use wasmtime_wasi::p3::bindings::{cli, clocks, filesystem, random, sockets};
use wasmtime_wasi::sockets::{WasiSockets, WasiSocketsView as _};
use wasmtime_wasi_http::WasiHttp;
use wasmtime_wasi_http::p3::bindings::http;

use super::lookup::NameLookup;
use super::new_socket;
use super::relay;
use super::remove_dir;
use super::requests;
use super::stdout::Stdout;
use crate::wasi::component::interface::Link;
use crate::wasi::component::random::Random;
use crate::wasi::component::state::HasWasi;

/// Returns how to link an interface, such as `wasi:cli/exit`.
pub(in crate::wasi::component) fn find<T: HasWasi>(interface: &str) -> Option<Link<T>> {
    Some(match interface {
        "wasi:cli/environment" => Link::plain(|l| cli::environment::add_to_linker::<T, WasiCli>(l, |t| t.wasi().cli())),
        "wasi:cli/exit" => Link::plain(|l| cli::exit::add_to_linker::<T, WasiCli>(l, |t| t.wasi().cli())),
        // It has only types, which need no definition.
        "wasi:cli/types" => Link::plain(|_| Ok(())),
        "wasi:cli/stdin" => Link::plain(|l| cli::stdin::add_to_linker::<T, WasiCli>(l, |t| t.wasi().cli())),
        "wasi:cli/stdout" => Link::plain(|l| cli::stdout::add_to_linker::<T, Stdout>(l, |t| t.wasi())),
        "wasi:cli/stderr" => Link::plain(|l| cli::stderr::add_to_linker::<T, WasiCli>(l, |t| t.wasi().cli())),
        "wasi:cli/terminal-input" => {
            Link::plain(|l| cli::terminal_input::add_to_linker::<T, WasiCli>(l, |t| t.wasi().cli()))
        }
        "wasi:cli/terminal-output" => {
            Link::plain(|l| cli::terminal_output::add_to_linker::<T, WasiCli>(l, |t| t.wasi().cli()))
        }
        "wasi:cli/terminal-stdin" => {
            Link::plain(|l| cli::terminal_stdin::add_to_linker::<T, WasiCli>(l, |t| t.wasi().cli()))
        }
        "wasi:cli/terminal-stdout" => {
            Link::plain(|l| cli::terminal_stdout::add_to_linker::<T, WasiCli>(l, |t| t.wasi().cli()))
        }
        "wasi:cli/terminal-stderr" => {
            Link::plain(|l| cli::terminal_stderr::add_to_linker::<T, WasiCli>(l, |t| t.wasi().cli()))
        }
        "wasi:clocks/monotonic-clock" => {
            Link::with_reactor(|l| clocks::monotonic_clock::add_to_linker::<T, WasiClocks>(l, |t| t.wasi().clocks()))
        }
        "wasi:clocks/system-clock" => {
            Link::plain(|l| clocks::system_clock::add_to_linker::<T, WasiClocks>(l, |t| t.wasi().clocks()))
        }
        "wasi:clocks/types" => Link::plain(|l| clocks::types::add_to_linker::<T, WasiClocks>(l, |t| t.wasi().clocks())),
        "wasi:filesystem/preopens" => {
            Link::plain(|l| filesystem::preopens::add_to_linker::<T, WasiFilesystem>(l, |t| t.wasi().filesystem()))
        }
        "wasi:filesystem/types" => Link::plain(|l| {
            filesystem::types::add_to_linker::<T, WasiFilesystem>(l, |t| t.wasi().filesystem())?;
            relay::correct_files(l)?;
            remove_dir::correct(l)
        }),
        "wasi:http/client" => {
            Link::with_reactor(|l| http::client::add_to_linker::<T, WasiHttp>(l, |t| t.wasi().http()))
        }
        "wasi:http/types" => Link::with_reactor(|l| {
            http::types::add_to_linker::<T, WasiHttp>(l, |t| t.wasi().http())?;
            requests::limit(l)
        }),
        "wasi:random/insecure" => {
            Link::plain(|l| random::insecure::add_to_linker::<T, Random>(l, |t| t.wasi().random()))
        }
        "wasi:random/insecure-seed" => {
            Link::plain(|l| random::insecure_seed::add_to_linker::<T, Random>(l, |t| t.wasi().random()))
        }
        "wasi:random/random" => Link::plain(|l| random::random::add_to_linker::<T, Random>(l, |t| t.wasi().random())),
        "wasi:sockets/ip-name-lookup" => {
            Link::plain(|l| sockets::ip_name_lookup::add_to_linker::<T, NameLookup>(l, |t| t.wasi()))
        }
        "wasi:sockets/types" => Link::with_reactor(|l| {
            sockets::types::add_to_linker::<T, WasiSockets>(l, |t| t.wasi().sockets())?;
            new_socket::replace(l)?;
            relay::correct_sockets(l)
        }),
        _ => return None,
    })
}
