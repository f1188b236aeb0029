//! The interfaces of WASI 0.2.

use wasmtime::component::{HasData, ResourceTable};
use wasmtime_wasi::cli::{WasiCli, WasiCliView as _};
use wasmtime_wasi::clocks::{WasiClocks, WasiClocksView as _};
use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemView as _};
use wasmtime_wasi::p2::bindings::{cli, clocks, filesystem, random, sockets};
use wasmtime_wasi::sockets::{WasiSockets, WasiSocketsView as _};
use wasmtime_wasi_http::WasiHttp;
use wasmtime_wasi_http::p2::bindings::http;
use wasmtime_wasi_io::bindings::wasi::io;

use super::files;
use super::interface::{Link, link_bindings};
use super::lookup;
use super::new_socket::{self, NewSocket};
use super::random::Random;
use super::remove_dir;
use super::requests;
use super::state::HasWasi;

/// The interfaces of `wasi:io`, which only need the table.
struct Io;

impl HasData for Io {
    type Data<'a> = &'a mut ResourceTable;
}

/// Returns how to link an interface, such as `wasi:cli/exit`.
pub(super) fn find<T: HasWasi>(interface: &str) -> Option<Link<T>> {
    Some(match interface {
        "wasi:cli/environment" => link_bindings!(plain, cli::environment, WasiCli, cli),
        "wasi:cli/exit" => link_bindings!(plain, cli::exit, WasiCli, cli),
        "wasi:cli/stdin" => link_bindings!(plain, cli::stdin, WasiCli, cli),
        "wasi:cli/stdout" => link_bindings!(plain, cli::stdout, WasiCli, cli),
        "wasi:cli/stderr" => link_bindings!(plain, cli::stderr, WasiCli, cli),
        "wasi:cli/terminal-input" => link_bindings!(plain, cli::terminal_input, WasiCli, cli),
        "wasi:cli/terminal-output" => link_bindings!(plain, cli::terminal_output, WasiCli, cli),
        "wasi:cli/terminal-stdin" => link_bindings!(plain, cli::terminal_stdin, WasiCli, cli),
        "wasi:cli/terminal-stdout" => link_bindings!(plain, cli::terminal_stdout, WasiCli, cli),
        "wasi:cli/terminal-stderr" => link_bindings!(plain, cli::terminal_stderr, WasiCli, cli),
        "wasi:clocks/monotonic-clock" => link_bindings!(with_reactor, clocks::monotonic_clock, WasiClocks, clocks),
        "wasi:clocks/wall-clock" => link_bindings!(plain, clocks::wall_clock, WasiClocks, clocks),
        "wasi:filesystem/preopens" => link_bindings!(plain, filesystem::preopens, WasiFilesystem, filesystem),
        "wasi:filesystem/types" => Link::plain(|l| {
            filesystem::types::add_to_linker::<T, WasiFilesystem>(l, |t| t.wasi().filesystem())?;
            files::add_to_linker(l)?;
            remove_dir::correct(l)
        }),
        "wasi:http/outgoing-handler" => link_bindings!(with_reactor, http::outgoing_handler, WasiHttp, http),
        "wasi:http/types" => Link::with_reactor(|l| {
            let options = http::types::LinkOptions::default();
            http::types::add_to_linker::<T, WasiHttp>(l, &options, |t| t.wasi().http())?;
            requests::limit(l)?;
            super::http::correct(l)
        }),
        "wasi:io/error" => link_bindings!(plain, io::error, Io, table),
        "wasi:io/poll" => link_bindings!(plain, io::poll, Io, table),
        "wasi:io/streams" => link_bindings!(plain, io::streams, Io, table),
        "wasi:random/insecure" => link_bindings!(plain, random::insecure, Random, random),
        "wasi:random/insecure-seed" => link_bindings!(plain, random::insecure_seed, Random, random),
        "wasi:random/random" => link_bindings!(plain, random::random, Random, random),
        "wasi:sockets/instance-network" => link_bindings!(plain, sockets::instance_network, WasiSockets, sockets),
        "wasi:sockets/ip-name-lookup" => Link::plain(lookup::add_to_linker),
        "wasi:sockets/network" => Link::plain(|l| {
            let options = sockets::network::LinkOptions::default();
            sockets::network::add_to_linker::<T, WasiSockets>(l, &options, |t| t.wasi().sockets())
        }),
        "wasi:sockets/tcp" => Link::with_reactor(|l| {
            sockets::tcp::add_to_linker::<T, WasiSockets>(l, |t| t.wasi().sockets())?;
            new_socket::count_drops(l)
        }),
        "wasi:sockets/tcp-create-socket" => {
            Link::with_reactor(|l| sockets::tcp_create_socket::add_to_linker::<T, NewSocket>(l, |t| t.wasi()))
        }
        "wasi:sockets/udp" => link_bindings!(with_reactor, sockets::udp, WasiSockets, sockets),
        "wasi:sockets/udp-create-socket" => {
            Link::with_reactor(|l| sockets::udp_create_socket::add_to_linker::<T, NewSocket>(l, |t| t.wasi()))
        }
        _ => return None,
    })
}
