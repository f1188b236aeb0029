//! The functions of WASI preview 1 (`wasi_snapshot_preview1`) and of its predecessor `wasi_unstable`.
//!
//! wasmtime-wasi declares its raw integer functions internal. The exact version pin and the conformance tests guard against
//! changes.

use wasmtime_wasi::p0::wasi_unstable;
use wasmtime_wasi::p1::types::{Errno, Iovec};
use wasmtime_wasi::p1::wasi_snapshot_preview1::{self, WasiSnapshotPreview1};
use wiggle::{GuestMemory, GuestPtr};

use super::function::{HostCall, WasiFunction, host_error};
use super::state::WasiState;
use super::{open, paths, poll, readdir, vectors};
use crate::runtime::host::{Exit, HostError};
use crate::value::number::Number;
use crate::value::types::{ValType, Value};

/// Returns the function with this module and name.
pub(super) fn find(module: &str, name: &str) -> Option<&'static WasiFunction> {
    let functions = match module {
        "wasi_snapshot_preview1" => SNAPSHOT,
        "wasi_unstable" => UNSTABLE,
        _ => return None,
    };
    functions.iter().find(|function| function.name == name)
}

/// Returns the next argument. The engine has checked their number and types.
fn next<N: Number + Default>(args: &mut std::slice::Iter<'_, Value>) -> N {
    args.next().and_then(N::of).unwrap_or_default()
}

/// The maximum number of vectors of one call.
const MAX_VECTORS: i32 = 1 << 20;

/// Checks the first buffer that is not empty, which a call is about to read or write. A buffer may extend beyond the memory if
/// the call does not use all of it.
///
/// # Errors
/// An errno if there are too many vectors, or if the buffer starts out of bounds.
fn check_buffer(memory: &GuestMemory<'_>, vectors: i32, count: i32) -> Result<(), HostError> {
    if !(0..=MAX_VECTORS).contains(&count) {
        return Err(Errno::Inval.into());
    }
    for vector in GuestPtr::<Iovec>::new(vectors.cast_unsigned()).as_array(count.cast_unsigned()).iter() {
        let Iovec { buf, buf_len } = memory.read(vector?)?;
        if buf_len > 0 {
            return Ok(memory.read(buf).map(drop)?);
        }
    }
    Ok(())
}

/// Maps the Rust type of an argument to its WebAssembly type.
macro_rules! val_type {
    (i32) => {
        ValType::I32
    };
    (i64) => {
        ValType::I64
    };
}

/// Creates a table of functions from a module of bindings. Each function has a kind, a name, parameters, and an optional
/// pointer that it writes a result to after it had an effect. The wrapper checks this pointer before the call.
///
/// The kinds are:
/// - `sync`, and `async`, which can be interrupted: the function of wasmtime-wasi;
/// - `snapshot`: as `sync`, but always from preview 1;
/// - `table`: as `async`, and `paths`: the same through [`paths`], with an error for a full table of descriptors;
/// - `open_async`, `open_sync` and `open_path`: as `async`, `sync` and `paths`, through [`open`];
/// - `readdir`: as `async`, through [`readdir`];
/// - `vectors`: as `async`, through [`vectors`], on a buffer of any size, which is used in place;
/// - `random`, `poll` and `exit`: not those of wasmtime-wasi.
macro_rules! functions {
    ($bindings:ident { $($mode:ident $name:ident($($param:ident: $ty:ident),*)$( -> $out:ident: $out_ty:ty)?;)* }) => {
        &[$(WasiFunction {
            name: stringify!($name),
            params: &[$(val_type!($ty)),*],
            results: functions!(@results $mode),
            call: |call, args| {
                let mut args = args.iter();
                $(let $param: $ty = next(&mut args);)*
                $(call.memory.read(GuestPtr::<$out_ty>::new($out.cast_unsigned()))?;)?
                functions!(@$mode $bindings $name call, args $(, $param)*)
            },
        }),*]
    };
    (@results exit) => { &[] };
    (@results $other:ident) => { &[ValType::I32] };
    (@sync $bindings:ident $name:ident $call:ident, $args:ident $(, $param:ident)*) => {{
        let HostCall { state, memory, .. } = $call;
        debug_assert!($args.next().is_none());
        $bindings::$name(&mut state.wasi, memory, $($param),*).map_err(|error| host_error(&error))
    }};
    (@async $bindings:ident $name:ident $call:ident, $args:ident $(, $param:ident)*) => {{
        let HostCall { state: WasiState { wasi, waiter, .. }, memory, interrupt_token } = $call;
        debug_assert!($args.next().is_none());
        waiter.finish($bindings::$name(wasi, memory, $($param),*), interrupt_token)?.map_err(|error| host_error(&error))
    }};
    (@snapshot $bindings:ident $name:ident $call:ident, $args:ident $(, $param:ident)*) => {
        functions!(@sync wasi_snapshot_preview1 $name $call, $args $(, $param)*)
    };
    (@vectors $bindings:ident $name:ident $call:ident, $args:ident, $fd:ident, $vectors:ident, $count:ident $(, $param:ident)*) => {{
        check_buffer($call.memory, $vectors, $count)?;
        vectors::$name($call, ($fd, $vectors, $count $(, $param)*), |$call, ($fd, $vectors, $count $(, $param)*)| {
            $call.state.wasi.set_hostcall_fuel(usize::MAX);
            functions!(@async $bindings $name $call, $args, $fd, $vectors, $count $(, $param)*)
        })
    }};
    (@random $bindings:ident $name:ident $call:ident, $args:ident, $buf:ident, $len:ident) => {{
        let HostCall { state, memory, interrupt_token } = $call;
        debug_assert!($args.next().is_none());
        let buffer = GuestPtr::new(($buf.cast_unsigned(), $len.cast_unsigned()));
        let buffer = if $len == 0 { None } else { memory.as_slice_mut(buffer)? };
        state.random.fill(buffer.unwrap_or_default(), interrupt_token)?;
        Ok(i32::from(Errno::Success as u16))
    }};
    (@table $bindings:ident $name:ident $call:ident, $args:ident $(, $param:ident)*) => {
        paths::with_full_table(functions!(@async $bindings $name $call, $args $(, $param)*))
    };
    (@paths $bindings:ident $name:ident $call:ident, $args:ident $(, $param:ident)*) => {
        paths::with_full_table(paths::$name($call, ($($param,)*), |$call, ($($param,)*)| {
            functions!(@async $bindings $name $call, $args $(, $param)*)
        }))
    };
    (@readdir $bindings:ident $name:ident $call:ident, $args:ident $(, $param:ident)*) => {
        readdir::$name($call, ($($param,)*), |$call, ($($param,)*)| {
            functions!(@async $bindings $name $call, $args $(, $param)*)
        })
    };
    (@open_path $bindings:ident $name:ident $call:ident, $args:ident $(, $param:ident)*) => {
        open::$name($call, ($($param,)*), |$call, ($($param,)*)| functions!(@paths $bindings $name $call, $args $(, $param)*))
    };
    (@open_async $bindings:ident $name:ident $call:ident, $args:ident $(, $param:ident)*) => {
        open::$name($call, ($($param,)*), |$call, ($($param,)*)| functions!(@async $bindings $name $call, $args $(, $param)*))
    };
    (@open_sync $bindings:ident $name:ident $call:ident, $args:ident $(, $param:ident)*) => {
        open::$name($call, ($($param,)*), |$call, ($($param,)*)| functions!(@sync $bindings $name $call, $args $(, $param)*))
    };
    (@exit $bindings:ident $name:ident $call:ident, $args:ident, $code:ident) => {{
        let HostCall { .. } = $call;
        debug_assert!($args.next().is_none());
        Err(Exit($code).into())
    }};
    (@poll $bindings:ident $name:ident $call:ident, $args:ident, $subs:ident, $events:ident, $count:ident, $out:ident) => {{
        debug_assert!($args.next().is_none());
        poll::$bindings($call, [$subs, $events, $count, $out])
    }};
}

/// Creates the table of the functions that both modules have, from these bindings, plus `more`.
macro_rules! functions_of_both {
    ($bindings:ident, $($more:tt)*) => {
        functions!($bindings {
            sync args_get(argv: i32, buf: i32);
            sync args_sizes_get(argc: i32, size: i32);
            sync environ_get(environ: i32, buf: i32);
            sync environ_sizes_get(count: i32, size: i32);
            sync clock_res_get(id: i32, out: i32);
            sync clock_time_get(id: i32, precision: i64, out: i32);
            async fd_advise(fd: i32, offset: i64, len: i64, advice: i32);
            sync fd_allocate(fd: i32, offset: i64, len: i64);
            readdir fd_close(fd: i32);
            async fd_datasync(fd: i32);
            async fd_fdstat_get(fd: i32, out: i32);
            open_sync fd_fdstat_set_flags(fd: i32, flags: i32);
            sync fd_fdstat_set_rights(fd: i32, base: i64, inheriting: i64);
            async fd_filestat_get(fd: i32, out: i32);
            async fd_filestat_set_size(fd: i32, size: i64);
            async fd_filestat_set_times(fd: i32, atim: i64, mtim: i64, flags: i32);
            vectors fd_pread(fd: i32, iovs: i32, len: i32, offset: i64, out: i32) -> out: u32;
            sync fd_prestat_get(fd: i32, out: i32);
            sync fd_prestat_dir_name(fd: i32, path: i32, len: i32);
            vectors fd_pwrite(fd: i32, iovs: i32, len: i32, offset: i64, out: i32) -> out: u32;
            vectors fd_read(fd: i32, iovs: i32, len: i32, out: i32) -> out: u32;
            readdir fd_readdir(fd: i32, buf: i32, len: i32, cookie: i64, out: i32) -> out: u32;
            readdir fd_renumber(fd: i32, to: i32);
            open_async fd_seek(fd: i32, offset: i64, whence: i32, out: i32) -> out: u64;
            async fd_sync(fd: i32);
            sync fd_tell(fd: i32, out: i32);
            vectors fd_write(fd: i32, iovs: i32, len: i32, out: i32) -> out: u32;
            table path_create_directory(fd: i32, path: i32, len: i32);
            paths path_filestat_get(fd: i32, flags: i32, path: i32, len: i32, out: i32);
            paths path_filestat_set_times(fd: i32, flags: i32, path: i32, len: i32, atim: i64, mtim: i64, which: i32);
            table path_link(old_fd: i32, flags: i32, old: i32, old_len: i32, new_fd: i32, new: i32, new_len: i32);
            open_path path_open(fd: i32, dirflags: i32, path: i32, len: i32, oflags: i32, base: i64, inheriting: i64, fdflags: i32, out: i32) -> out: u32;
            table path_readlink(fd: i32, path: i32, len: i32, buf: i32, buf_len: i32, out: i32);
            paths path_remove_directory(fd: i32, path: i32, len: i32);
            table path_rename(fd: i32, old: i32, old_len: i32, new_fd: i32, new: i32, new_len: i32);
            table path_symlink(old: i32, old_len: i32, fd: i32, new: i32, new_len: i32);
            paths path_unlink_file(fd: i32, path: i32, len: i32);
            poll poll_oneoff(subs: i32, events: i32, count: i32, out: i32) -> out: u32;
            exit proc_exit(code: i32);
            sync proc_raise(signal: i32);
            sync sched_yield();
            random random_get(buf: i32, len: i32);
            snapshot sock_recv(fd: i32, iovs: i32, len: i32, flags: i32, size: i32, out_flags: i32);
            snapshot sock_send(fd: i32, iovs: i32, len: i32, flags: i32, size: i32);
            snapshot sock_shutdown(fd: i32, how: i32);
            $($more)*
        })
    };
}

/// The functions of preview 1.
static SNAPSHOT: &[WasiFunction] =
    functions_of_both!(wasi_snapshot_preview1, sync sock_accept(fd: i32, flags: i32, out: i32););

/// The functions of `wasi_unstable`, some with other memory layouts.
static UNSTABLE: &[WasiFunction] = functions_of_both!(wasi_unstable,);
