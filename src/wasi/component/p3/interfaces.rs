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
use super::tcp_streams;
use crate::wasi::component::interface::{Link, link_bindings};
use crate::wasi::component::random::Random;
use crate::wasi::component::state::HasWasi;

/// Returns how to link an interface, such as `wasi:cli/exit`.
pub(in crate::wasi::component) fn find<T: HasWasi>(interface: &str) -> Option<Link<T>> {
    Some(match interface {
        "wasi:cli/environment" => link_bindings!(plain, cli::environment, WasiCli, cli),
        "wasi:cli/exit" => link_bindings!(plain, cli::exit, WasiCli, cli),
        // It has only types, which need no definition.
        "wasi:cli/types" => Link::plain(|_| Ok(())),
        "wasi:cli/stdin" => link_bindings!(plain, cli::stdin, WasiCli, cli),
        "wasi:cli/stdout" => Link::plain(|l| cli::stdout::add_to_linker::<T, Stdout>(l, |t| t.wasi())),
        "wasi:cli/stderr" => link_bindings!(plain, cli::stderr, WasiCli, cli),
        "wasi:cli/terminal-input" => link_bindings!(plain, cli::terminal_input, WasiCli, cli),
        "wasi:cli/terminal-output" => link_bindings!(plain, cli::terminal_output, WasiCli, cli),
        "wasi:cli/terminal-stdin" => link_bindings!(plain, cli::terminal_stdin, WasiCli, cli),
        "wasi:cli/terminal-stdout" => link_bindings!(plain, cli::terminal_stdout, WasiCli, cli),
        "wasi:cli/terminal-stderr" => link_bindings!(plain, cli::terminal_stderr, WasiCli, cli),
        "wasi:clocks/monotonic-clock" => link_bindings!(with_reactor, clocks::monotonic_clock, WasiClocks, clocks),
        "wasi:clocks/system-clock" => link_bindings!(plain, clocks::system_clock, WasiClocks, clocks),
        "wasi:clocks/types" => link_bindings!(plain, clocks::types, WasiClocks, clocks),
        "wasi:filesystem/preopens" => link_bindings!(plain, filesystem::preopens, WasiFilesystem, filesystem),
        "wasi:filesystem/types" => Link::plain(|l| {
            filesystem::types::add_to_linker::<T, WasiFilesystem>(l, |t| t.wasi().filesystem())?;
            relay::correct_files(l)?;
            remove_dir::correct(l)
        }),
        "wasi:http/client" => link_bindings!(with_reactor, http::client, WasiHttp, http),
        "wasi:http/types" => Link::with_reactor(|l| {
            http::types::add_to_linker::<T, WasiHttp>(l, |t| t.wasi().http())?;
            requests::limit(l)
        }),
        "wasi:random/insecure" => link_bindings!(plain, random::insecure, Random, random),
        "wasi:random/insecure-seed" => link_bindings!(plain, random::insecure_seed, Random, random),
        "wasi:random/random" => link_bindings!(plain, random::random, Random, random),
        "wasi:sockets/ip-name-lookup" => {
            Link::plain(|l| sockets::ip_name_lookup::add_to_linker::<T, NameLookup>(l, |t| t.wasi()))
        }
        "wasi:sockets/types" => Link::with_reactor(|l| {
            sockets::types::add_to_linker::<T, WasiSockets>(l, |t| t.wasi().sockets())?;
            new_socket::replace(l)?;
            tcp_streams::replace(l)
        }),
        _ => return None,
    })
}
