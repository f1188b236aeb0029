//! The functions of preview 1, and of `wasi_unstable` before it, as host functions.
//!
//! wasmtime-wasi calls its functions over raw integers internal; the pin of its version and the conformance tests carry
//! that risk.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use wasmtime_wasi::p0::wasi_unstable;
use wasmtime_wasi::p1::wasi_snapshot_preview1::{self, WasiSnapshotPreview1};
use wiggle::GuestMemory;

use super::output::BrokenPipe;
use super::state::WasiState;
use super::{poll, wasix};
use crate::capabilities::Capabilities;
use crate::engine::kind::RuntimeKind;
use crate::error::{ErrorKind, Result};
use crate::module::info::ModuleInfo;
use crate::runtime::grants;
use crate::runtime::host::{Exit, HostContext, HostError, HostFunction, HostImports, HostItem, InterruptToken};
use crate::value::number::Number;
use crate::value::types::{FuncType, ValType, Value};

/// The memory of the guest that the functions read and write.
const MEMORY: &str = "memory";

/// The most bytes of the guest's that one call copies; more is refused as past the memory there is.
const MOST_COPIED: usize = 128 << 20;

/// Adds what a module imports of WASI, made of these capabilities, to what the host offers it otherwise. Nothing is made
/// for a module that imports none of it.
///
/// # Errors
/// [`ErrorKind::Grant`] where a capability cannot be granted on this engine.
pub(crate) fn provide<'h>(
    kind: RuntimeKind,
    info: &ModuleInfo,
    capabilities: &Capabilities,
    imports: &'h HostImports,
) -> Result<Cow<'h, HostImports>> {
    grants::check(kind, capabilities)?;
    if info.imports.is_empty() {
        return Ok(Cow::Borrowed(imports));
    }
    if wasix::is_wanted(info, imports) {
        return Ok(wasix::provide(info, capabilities, imports));
    }
    let missing = info.imports.iter().filter(|import| imports.get(&import.module, &import.name).is_none());
    let wanted: Vec<_> = missing.filter_map(|import| Some((import, find(&import.module, &import.name)?))).collect();
    if wanted.is_empty() {
        return Ok(Cow::Borrowed(imports));
    }
    let state = Arc::new(Mutex::new(WasiState::new(capabilities)?));
    let all = wanted.into_iter().fold(imports.clone(), |imports, (import, function)| {
        imports.with(&*import.module, &*import.name, HostItem::Func(function.lower(&state)))
    });
    Ok(Cow::Owned(all))
}

/// Whether WASI has a function of this module and name.
fn find(module: &str, name: &str) -> Option<&'static Function> {
    let functions = match module {
        "wasi_snapshot_preview1" => SNAPSHOT,
        "wasi_unstable" => UNSTABLE,
        _ => return None,
    };
    functions.iter().find(|function| function.name == name)
}

/// The type of a function of WASI, where there is one of this module and name.
pub(super) fn ty(module: &str, name: &str) -> Option<FuncType> {
    find(module, name).map(|function| FuncType::new(function.params, function.results))
}

/// What a function gets besides its arguments.
pub(super) struct HostCall<'c, 'm> {
    pub(super) state: &'c mut WasiState,
    pub(super) memory: &'c mut GuestMemory<'m>,
    pub(super) interrupt_token: &'c InterruptToken,
}

/// One function: its errno is its result, but for the one that never returns.
struct Function {
    name: &'static str,
    params: &'static [ValType],
    results: &'static [ValType],
    call: fn(HostCall<'_, '_>, &[Value]) -> Result<i32, HostError>,
}

impl Function {
    fn lower(&'static self, state: &Arc<Mutex<WasiState>>) -> HostFunction {
        let state = Arc::clone(state);
        HostFunction::new(FuncType::new(self.params, self.results), move |context, args| {
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            state.wasi.set_hostcall_fuel(MOST_COPIED);
            let errno = with_memory(context, |memory, interrupt_token| {
                (self.call)(HostCall { state: &mut state, memory, interrupt_token }, args)
            })?;
            Ok(vec![Value::I32(errno)])
        })
    }
}

/// Calls with the guest's memory; one that exports none has none of its pointers in it.
fn with_memory(
    context: &mut dyn HostContext,
    mut call: impl FnMut(&mut GuestMemory<'_>, &InterruptToken) -> Result<i32, HostError>,
) -> Result<i32, HostError> {
    let interrupt_token = context.interrupt_token();
    let mut called = None;
    let opened = context.memory(MEMORY, &mut |bytes| {
        called = Some(call(&mut GuestMemory::Unshared(bytes), &interrupt_token));
    });
    match (opened, called) {
        (_, Some(result)) => result,
        (Err(error), None) if error.kind() == ErrorKind::UnknownExport => {
            call(&mut GuestMemory::Unshared(&mut []), &interrupt_token)
        }
        (Err(error), None) => Err(error.into()),
        (Ok(()), None) => Err("the guest's memory was not handed out".into()),
    }
}

/// The next argument; the engine has checked how many there are, and their types.
fn next<N: Number + Default>(args: &mut std::slice::Iter<'_, Value>) -> N {
    args.next().and_then(N::of).unwrap_or_default()
}

/// An argument's type by that of its Rust value.
macro_rules! val_type {
    (i32) => {
        ValType::I32
    };
    (i64) => {
        ValType::I64
    };
}

/// A table of functions: which module of bindings they are in, whether they may wait, their names and parameters.
macro_rules! functions {
    ($bindings:ident { $($manner:ident $name:ident($($param:ident: $ty:ident),*);)* }) => {
        &[$(Function {
            name: stringify!($name),
            params: &[$(val_type!($ty)),*],
            results: functions!(@results $manner),
            call: |call, args| {
                let mut args = args.iter();
                $(let $param: $ty = next(&mut args);)*
                functions!(@$manner $bindings $name call, args $(, $param)*)
            },
        }),*]
    };
    (@results exits) => { &[] };
    (@results $other:ident) => { &[ValType::I32] };
    (@at_once $bindings:ident $name:ident $call:ident, $args:ident $(, $param:ident)*) => {{
        let HostCall { state, memory, .. } = $call;
        debug_assert!($args.next().is_none());
        $bindings::$name(&mut state.wasi, memory, $($param),*).map_err(|error| failed(&error))
    }};
    (@may_wait $bindings:ident $name:ident $call:ident, $args:ident $(, $param:ident)*) => {{
        let HostCall { state: WasiState { wasi, waiter }, memory, interrupt_token } = $call;
        debug_assert!($args.next().is_none());
        waiter.finish($bindings::$name(wasi, memory, $($param),*), interrupt_token)?.map_err(|error| failed(&error))
    }};
    (@exits $bindings:ident $name:ident $call:ident, $args:ident, $code:ident) => {{
        let HostCall { .. } = $call;
        debug_assert!($args.next().is_none());
        Err(Exit($code).into())
    }};
    (@polls $bindings:ident $name:ident $call:ident, $args:ident, $subs:ident, $events:ident, $number:ident, $out:ident) => {{
        debug_assert!($args.next().is_none());
        poll::$bindings($call, [$subs, $events, $number, $out])
    }};
}

/// A failure that is no errno. A guest whose reader has gone exits, which is no failure.
pub(super) fn failed(error: &wiggle::error::Error) -> HostError {
    match error.downcast_ref() {
        Some(BrokenPipe) => Exit(0).into(),
        None => format!("{error:#}").into(),
    }
}

/// The functions that preview 1 and what came before it both have, in these bindings, and some more.
macro_rules! functions_of_both {
    ($bindings:ident, $($more:tt)*) => {
        functions!($bindings {
            at_once args_get(argv: i32, buf: i32);
            at_once args_sizes_get(argc: i32, size: i32);
            at_once environ_get(environ: i32, buf: i32);
            at_once environ_sizes_get(count: i32, size: i32);
            at_once clock_res_get(id: i32, out: i32);
            at_once clock_time_get(id: i32, precision: i64, out: i32);
            may_wait fd_advise(fd: i32, offset: i64, len: i64, advice: i32);
            at_once fd_allocate(fd: i32, offset: i64, len: i64);
            may_wait fd_close(fd: i32);
            may_wait fd_datasync(fd: i32);
            may_wait fd_fdstat_get(fd: i32, out: i32);
            at_once fd_fdstat_set_flags(fd: i32, flags: i32);
            at_once fd_fdstat_set_rights(fd: i32, base: i64, inheriting: i64);
            may_wait fd_filestat_get(fd: i32, out: i32);
            may_wait fd_filestat_set_size(fd: i32, size: i64);
            may_wait fd_filestat_set_times(fd: i32, atim: i64, mtim: i64, flags: i32);
            may_wait fd_pread(fd: i32, iovs: i32, len: i32, offset: i64, out: i32);
            at_once fd_prestat_get(fd: i32, out: i32);
            at_once fd_prestat_dir_name(fd: i32, path: i32, len: i32);
            may_wait fd_pwrite(fd: i32, iovs: i32, len: i32, offset: i64, out: i32);
            may_wait fd_read(fd: i32, iovs: i32, len: i32, out: i32);
            may_wait fd_readdir(fd: i32, buf: i32, len: i32, cookie: i64, out: i32);
            may_wait fd_renumber(fd: i32, to: i32);
            may_wait fd_seek(fd: i32, offset: i64, whence: i32, out: i32);
            may_wait fd_sync(fd: i32);
            at_once fd_tell(fd: i32, out: i32);
            may_wait fd_write(fd: i32, iovs: i32, len: i32, out: i32);
            may_wait path_create_directory(fd: i32, path: i32, len: i32);
            may_wait path_filestat_get(fd: i32, flags: i32, path: i32, len: i32, out: i32);
            may_wait path_filestat_set_times(fd: i32, flags: i32, path: i32, len: i32, atim: i64, mtim: i64, which: i32);
            may_wait path_link(old_fd: i32, flags: i32, old: i32, old_len: i32, new_fd: i32, new: i32, new_len: i32);
            may_wait path_open(fd: i32, dirflags: i32, path: i32, len: i32, oflags: i32, base: i64, inheriting: i64, fdflags: i32, out: i32);
            may_wait path_readlink(fd: i32, path: i32, len: i32, buf: i32, buf_len: i32, out: i32);
            may_wait path_remove_directory(fd: i32, path: i32, len: i32);
            may_wait path_rename(fd: i32, old: i32, old_len: i32, new_fd: i32, new: i32, new_len: i32);
            may_wait path_symlink(old: i32, old_len: i32, fd: i32, new: i32, new_len: i32);
            may_wait path_unlink_file(fd: i32, path: i32, len: i32);
            polls poll_oneoff(subs: i32, events: i32, number: i32, out: i32);
            exits proc_exit(code: i32);
            at_once proc_raise(signal: i32);
            at_once sched_yield();
            at_once random_get(buf: i32, len: i32);
            at_once sock_recv(fd: i32, iovs: i32, len: i32, flags: i32, size: i32, out_flags: i32);
            at_once sock_send(fd: i32, iovs: i32, len: i32, flags: i32, size: i32);
            at_once sock_shutdown(fd: i32, how: i32);
            $($more)*
        })
    };
}

/// Preview 1.
static SNAPSHOT: &[Function] =
    functions_of_both!(wasi_snapshot_preview1, at_once sock_accept(fd: i32, flags: i32, out: i32););

/// What came before it: the same functions, some with other layouts in memory.
static UNSTABLE: &[Function] = functions_of_both!(wasi_unstable,);
