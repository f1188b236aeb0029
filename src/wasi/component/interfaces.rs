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
use super::interface::Link;
use super::lookup;
use super::new_socket::NewSocket;
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
        "wasi:cli/environment" => Link::plain(|l| cli::environment::add_to_linker::<T, WasiCli>(l, |t| t.wasi().cli())),
        "wasi:cli/exit" => Link::plain(|l| cli::exit::add_to_linker::<T, WasiCli>(l, |t| t.wasi().cli())),
        "wasi:cli/stdin" => Link::plain(|l| cli::stdin::add_to_linker::<T, WasiCli>(l, |t| t.wasi().cli())),
        "wasi:cli/stdout" => Link::plain(|l| cli::stdout::add_to_linker::<T, WasiCli>(l, |t| t.wasi().cli())),
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
        "wasi:clocks/wall-clock" => {
            Link::plain(|l| clocks::wall_clock::add_to_linker::<T, WasiClocks>(l, |t| t.wasi().clocks()))
        }
        "wasi:filesystem/preopens" => {
            Link::plain(|l| filesystem::preopens::add_to_linker::<T, WasiFilesystem>(l, |t| t.wasi().filesystem()))
        }
        "wasi:filesystem/types" => Link::plain(|l| {
            filesystem::types::add_to_linker::<T, WasiFilesystem>(l, |t| t.wasi().filesystem())?;
            files::add_to_linker(l)?;
            remove_dir::correct(l)
        }),
        "wasi:http/outgoing-handler" => {
            Link::with_reactor(|l| http::outgoing_handler::add_to_linker::<T, WasiHttp>(l, |t| t.wasi().http()))
        }
        "wasi:http/types" => Link::with_reactor(|l| {
            let options = http::types::LinkOptions::default();
            http::types::add_to_linker::<T, WasiHttp>(l, &options, |t| t.wasi().http())?;
            requests::limit(l)
        }),
        "wasi:io/error" => Link::plain(|l| io::error::add_to_linker::<T, Io>(l, |t| t.wasi().table())),
        "wasi:io/poll" => Link::plain(|l| io::poll::add_to_linker::<T, Io>(l, |t| t.wasi().table())),
        "wasi:io/streams" => Link::plain(|l| io::streams::add_to_linker::<T, Io>(l, |t| t.wasi().table())),
        "wasi:random/insecure" => {
            Link::plain(|l| random::insecure::add_to_linker::<T, Random>(l, |t| t.wasi().random()))
        }
        "wasi:random/insecure-seed" => {
            Link::plain(|l| random::insecure_seed::add_to_linker::<T, Random>(l, |t| t.wasi().random()))
        }
        "wasi:random/random" => Link::plain(|l| random::random::add_to_linker::<T, Random>(l, |t| t.wasi().random())),
        "wasi:sockets/instance-network" => {
            Link::plain(|l| sockets::instance_network::add_to_linker::<T, WasiSockets>(l, |t| t.wasi().sockets()))
        }
        "wasi:sockets/ip-name-lookup" => Link::plain(lookup::add_to_linker),
        "wasi:sockets/network" => Link::plain(|l| {
            let options = sockets::network::LinkOptions::default();
            sockets::network::add_to_linker::<T, WasiSockets>(l, &options, |t| t.wasi().sockets())
        }),
        "wasi:sockets/tcp" => {
            Link::with_reactor(|l| sockets::tcp::add_to_linker::<T, WasiSockets>(l, |t| t.wasi().sockets()))
        }
        "wasi:sockets/tcp-create-socket" => {
            Link::with_reactor(|l| sockets::tcp_create_socket::add_to_linker::<T, NewSocket>(l, |t| t.wasi()))
        }
        "wasi:sockets/udp" => {
            Link::with_reactor(|l| sockets::udp::add_to_linker::<T, WasiSockets>(l, |t| t.wasi().sockets()))
        }
        "wasi:sockets/udp-create-socket" => {
            Link::with_reactor(|l| sockets::udp_create_socket::add_to_linker::<T, NewSocket>(l, |t| t.wasi()))
        }
        _ => return None,
    })
}
