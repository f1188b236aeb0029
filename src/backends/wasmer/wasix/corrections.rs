//! Corrections of WASIX functions on descriptors, so that they behave as on Linux and in preview 1, and obey the limits.

use std::io::IsTerminal;
use std::sync::{Arc, Mutex, PoisonError};

use wasmer::{AsStoreMut, Function, FunctionEnv, TypedFunction, Value};
use wasmer_wasix::WasiEnv;
use wasmer_wasix::wasmer_wasix_types::wasi::{Errno, Filetype};

use super::calls::{self, CallResult, Env, SYNC, call, has_all_descriptors, is_open, number, read, unsigned, write};
use super::epoll::EpollUse;
use super::fs::{exact_errno, forget_errno, read_dir};
use super::poll::poll_oneoff;
use crate::capabilities::{Capabilities, Input, Output};
use crate::wasi::listings::Listings;

/// The properties of the guest that corrections depend on. Its threads share them.
#[derive(Debug)]
pub(super) struct Guest {
    /// The standard stream of the process, by its number, that each standard stream of the guest is.
    inherited: [Option<u8>; 3],
    /// Whether its memory is limited.
    has_memory_limit: bool,
    /// The listings of its open directories.
    listings: Mutex<Listings>,
    epoll: EpollUse,
}

impl Guest {
    pub(super) fn new(capabilities: &Capabilities, has_memory_limit: bool) -> Arc<Self> {
        let Capabilities { stdin, stdout, stderr, .. } = capabilities;
        let output = |output: &Output, number| match output {
            Output::Inherit => Some(number),
            Output::Stderr => Some(2),
            Output::Discard | Output::Capture(_) => None,
        };
        let inherited = [matches!(stdin, Input::Inherit).then_some(0), output(stdout, 1), output(stderr, 2)];
        Arc::new(Self { inherited, has_memory_limit, listings: Mutex::default(), epoll: EpollUse::default() })
    }

    /// Returns the type of a standard stream, as in preview 1.
    fn stream_type(&self, number: usize) -> Filetype {
        let is_terminal = match self.inherited.get(number).copied().flatten() {
            Some(0) => std::io::stdin().is_terminal(),
            Some(1) => std::io::stdout().is_terminal(),
            Some(_) => std::io::stderr().is_terminal(),
            None => false,
        };
        if is_terminal { Filetype::CharacterDevice } else { Filetype::Unknown }
    }
}

/// Returns the corrected function with this module and name, if it has a correction. `get` returns the original functions.
pub(super) fn corrected(
    store: &mut impl AsStoreMut,
    env: &FunctionEnv<WasiEnv>,
    get: impl Fn(&str) -> Option<Function>,
    (module, name): (&str, &str),
    guest: &Arc<Guest>,
) -> Option<Function> {
    let (function, guest) = (get(name)?, Arc::clone(guest));
    let ty = function.ty(store);
    // The old number of a renumbered descriptor is free, but the descriptor lives on.
    let duplicates = matches!(name, "fd_dup" | "fd_renumber");
    Some(match name {
        // WASIX buffers unread data outside the guest's memory, where the limit does not apply.
        "fd_pipe" | "sock_pair" if guest.has_memory_limit => {
            calls::function(store, env, ty, |_, _| Ok(number(Errno::Notsup)))
        }
        "epoll_create" | "fd_dup" | "fd_event" | "fd_pipe" | "sock_accept" | "sock_accept_v2" | "sock_open"
        | "sock_pair" => calls::function(store, env, ty, move |env, args| {
            if duplicates {
                guest.epoll.duplicated();
            }
            if has_all_descriptors(env, 0) { Ok(number(Errno::Mfile)) } else { call(&function, env, args) }
        }),
        "epoll_ctl" => calls::function(store, env, ty, move |env, args| guest.epoll.control(env, &function, args)),
        "epoll_wait" => calls::function(store, env, ty, move |env, args| guest.epoll.wait(env, &function, args)),
        "fd_dup2" => calls::function(store, env, ty, move |env, args| {
            guest.epoll.duplicated();
            let is_full = has_all_descriptors(env, unsigned(args, 1));
            if is_full { Ok(number(Errno::Mfile)) } else { call(&function, env, args) }
        }),
        "fd_fdstat_get" => calls::function(store, env, ty, move |env, args| fdstat_get(env, &function, args, &guest)),
        "fd_filestat_get" => {
            let size_at = if is_unstable(module) { 24 } else { 32 };
            calls::function(store, env, ty, move |env, args| filestat_get(env, &function, args, &guest, size_at))
        }
        "fd_fdstat_set_flags" => calls::function(store, env, ty, move |env, args| {
            if unsigned(args, 1).cast_signed() & SYNC != 0 {
                Ok(number(Errno::Inval))
            } else {
                call(&function, env, args)
            }
        }),
        "fd_readdir" => {
            calls::function(store, env, ty, move |env, args| read_dir(env, &function, args, &guest.listings))
        }
        "fd_close" | "fd_renumber" => calls::function(store, env, ty, move |env, args| {
            let mut listings = guest.listings.lock().unwrap_or_else(PoisonError::into_inner);
            args.iter().filter_map(Value::i32).for_each(|descriptor| drop(listings.remove(descriptor)));
            drop(listings);
            if duplicates {
                guest.epoll.duplicated();
            }
            let errno = call(&function, env, args)?;
            if errno == 0 {
                args.iter().filter_map(Value::i32).for_each(|closed| guest.epoll.closed(closed.cast_unsigned()));
            }
            Ok(errno)
        }),
        "fd_seek" => calls::function(store, env, ty, move |env, args| seek(env, &function, args)),
        "fd_tell" => renamed(store, env, function, &[Errno::Access], Errno::Spipe),
        "fd_filestat_set_size" => renamed(store, env, function, &[Errno::Access], Errno::Inval),
        "fd_allocate" => renamed(store, env, function, &[Errno::Access], Errno::Badf),
        "fd_pread" | "fd_pwrite" => calls::function(store, env, ty, move |env, args| {
            if has_bad_vectors(env, unsigned(args, 0), unsigned(args, 1), unsigned(args, 2)) {
                return Ok(number(Errno::Memviolation));
            }
            forget_errno();
            Ok(exact_errno(renamed_to(call(&function, env, args)?, &[Errno::Access, Errno::Perm], Errno::Badf)))
        }),
        "fd_read" | "fd_write" => {
            // These calls are frequent. A typed function is faster.
            let function: TypedFunction<(i32, i32, i32, i32), i32> = function.typed(store).ok()?;
            Function::new_typed_with_env(
                store,
                env,
                move |mut env: Env<'_>, descriptor: i32, vectors: i32, count: i32, result: i32| {
                    let [fd, start, len] = [descriptor, vectors, count].map(i32::cast_unsigned);
                    if has_bad_vectors(&env, fd, start, len) {
                        return Ok(number(Errno::Memviolation));
                    }
                    forget_errno();
                    let call = || function.call(&mut env, descriptor, vectors, count, result);
                    calls::caught(call)
                        .map(|errno| exact_errno(renamed_to(errno, &[Errno::Access, Errno::Perm], Errno::Badf)))
                },
            )
        }
        // `wasi_unstable` has another layout of subscriptions.
        "poll_oneoff" if !is_unstable(module) => {
            let clock = get("clock_time_get")?;
            calls::function(store, env, ty, move |env, args| poll_oneoff(env, &function, &clock, args))
        }
        // `call` returns `io` if WASIX panics.
        name if name.starts_with("fd_") || matches!(name, "chdir" | "getcwd" | "poll_oneoff") => {
            calls::function(store, env, ty, move |env, args| call(&function, env, args))
        }
        _ => return None,
    })
}

/// Returns whether an import module is `wasi_unstable`, the predecessor of preview 1.
fn is_unstable(module: &str) -> bool {
    matches!(module, "wasi" | "wasi_unstable")
}

/// Returns whether a vector for an open descriptor is out of bounds. WASIX would read or write those before it, and then
/// fail.
fn has_bad_vectors(env: &Env<'_>, descriptor: u32, vectors: u32, count: u32) -> bool {
    const VECTOR: u64 = 8;
    let Some(view) = env.data().try_memory_view(env) else { return true };
    let (start, size, count) = (u64::from(vectors), view.data_size(), u64::from(count));
    let is_outside = |at: u64| match read(env, start + at * VECTOR).map(u64::from_le_bytes) {
        Ok(vector) => (vector & u64::from(u32::MAX)) + (vector >> 32) > size,
        Err(_) => true,
    };
    let is_bad = start + count * VECTOR > size || (0..count).any(is_outside);
    is_bad && is_open(env, descriptor)
}

/// Corrects a function that reports a missing right as one of `errnos`, where Linux returns `errno`.
fn renamed(
    store: &mut impl AsStoreMut,
    env: &FunctionEnv<WasiEnv>,
    function: Function,
    errnos: &'static [Errno],
    errno: Errno,
) -> Function {
    let ty = function.ty(store);
    calls::function(store, env, ty, move |env, args| {
        forget_errno();
        Ok(exact_errno(renamed_to(call(&function, env, args)?, errnos, errno)))
    })
}

/// Replaces `failed` by `errno` if it is one of `errnos`.
fn renamed_to(failed: i32, errnos: &[Errno], errno: Errno) -> i32 {
    if errnos.iter().any(|renamed| number(*renamed) == failed) { number(errno) } else { failed }
}

/// Gets the state of a descriptor. WASIX reports 0, 1 and 2 as terminals, even if they are closed.
fn fdstat_get(env: &mut Env<'_>, function: &Function, args: &[Value], guest: &Guest) -> CallResult {
    let [descriptor, result] = [0, 1].map(|index| unsigned(args, index));
    if descriptor > 2 {
        return call(function, env, args);
    }
    if !is_open(env, descriptor) {
        return Ok(number(Errno::Badf));
    }
    let errno = call(function, env, args)?;
    if errno != 0 {
        return Ok(errno);
    }
    let kind = guest.stream_type(descriptor as usize);
    Ok(write(env, u64::from(result), &[kind as u8]).map_or_else(number, |()| 0))
}

/// Gets the attributes of a descriptor. WASIX reports all standard streams as terminals, and keeps its own record of the size,
/// which is at the offset `size_at`.
fn filestat_get(env: &mut Env<'_>, function: &Function, args: &[Value], guest: &Guest, size_at: u64) -> CallResult {
    /// The inode of standard input; those of the other streams follow.
    const FIRST_STREAM: u64 = 10;
    let errno = call(function, env, args)?;
    let result = u64::from(unsigned(args, 1));
    let (Ok(inode), Ok([kind])) = (read(env, result + 8).map(u64::from_le_bytes), read(env, result + 16)) else {
        return Ok(errno);
    };
    if errno == 0 && kind == Filetype::RegularFile as u8 {
        let file = env.data().std_dev_get(unsigned(args, 0));
        let Ok(Some(size)) = file.map(|file| file.map(|file| file.size())) else { return Ok(errno) };
        return Ok(write(env, result + size_at, &size.to_le_bytes()).map_or_else(number, |()| 0));
    }
    if errno != 0 || kind != Filetype::CharacterDevice as u8 {
        return Ok(errno);
    }
    let stream = usize::try_from(inode.wrapping_sub(FIRST_STREAM)).unwrap_or(usize::MAX);
    let kind = guest.stream_type(stream);
    Ok(write(env, result + 16, &[kind as u8]).map_or_else(number, |()| 0))
}

/// Seeks, and undoes an invalid seek: WASIX moves the position out of range before it fails.
fn seek(env: &mut Env<'_>, function: &Function, args: &[Value]) -> CallResult {
    const CURRENT: i32 = 1;
    const END: i32 = 2;
    let errno = call(function, env, args)?;
    let [descriptor, Value::I64(by), Value::I32(CURRENT), result] = args else {
        let is_before_start = matches!(args.get(2), Some(Value::I32(END))) && errno == number(Errno::Io);
        return Ok(match errno {
            errno if errno == number(Errno::Access) => number(Errno::Spipe),
            _ if is_before_start => number(Errno::Inval),
            errno => errno,
        });
    };
    let is_past_end = |position: u64| i64::try_from(position).is_err();
    let refused = match errno {
        0 if read(env, u64::from(unsigned(args, 3))).map(u64::from_le_bytes).is_ok_and(is_past_end) => Errno::Overflow,
        errno if errno == number(Errno::Inval) && *by < 0 => Errno::Inval,
        errno if errno == number(Errno::Access) => return Ok(number(Errno::Spipe)),
        errno => return Ok(errno),
    };
    call(function, env, &[descriptor.clone(), Value::I64(by.wrapping_neg()), Value::I32(CURRENT), result.clone()])?;
    Ok(number(refused))
}
