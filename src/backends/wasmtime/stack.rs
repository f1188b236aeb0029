//! Room on the stack: Wasmtime counts the stack its guests use, it does not provide it.
#![cfg_attr(target_os = "linux", expect(unsafe_code, reason = "the bounds of a thread's stack are asked of libc"))]

use std::cell::Cell;

#[cfg(target_os = "linux")]
use rustix::process::{Resource, getrlimit};

/// Stack beyond the guest's own, for the host functions it calls at its deepest.
const HOST_STACK: usize = 256 << 10;

thread_local! {
    /// The lowest address of this thread's own stack, and its size in bytes; nothing has an address in it where it is unknown.
    static OWN: Cell<(usize, usize)> = const { Cell::new(UNASKED) };
}

const UNASKED: (usize, usize) = (usize::MAX, 0);
const UNKNOWN: (usize, usize) = (usize::MAX, 1); // as long as no marker is at address 0

/// The room that a guest needs which may use `bytes` of stack.
pub(super) fn needed(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX).saturating_add(HOST_STACK)
}

/// Runs guest code on the caller's stack where that has `needed` bytes left, else on a new one.
pub(super) fn on_enough<R>(needed: usize, guest: impl FnOnce() -> R) -> R {
    if OWN.get() == UNASKED {
        OWN.set(own_stack().map_or(UNKNOWN, |(lowest, highest)| (lowest, highest.saturating_sub(lowest))));
    }
    if has(needed) { guest() } else { elsewhere(needed, guest) }
}

/// The thread runs on another stack than its own, or has too little left: `stacker` knows, and switches where it must.
#[cold]
fn elsewhere<R>(needed: usize, guest: impl FnOnce() -> R) -> R {
    stacker::maybe_grow(needed, needed.saturating_add(HOST_STACK), guest)
}

/// Whether the thread is known to run on its own stack, with this much left. That stack stays where it is while the thread
/// lives, so its bounds are asked for once; `stacker` alone would cost half as much again as the call.
#[inline]
pub(super) fn has(needed: usize) -> bool {
    let marker = 0_u8;
    let here = std::ptr::from_ref(&marker).addr();
    let (lowest, size) = OWN.get();
    // Of what is below the stack the room wraps around, to more than its size.
    let room = here.wrapping_sub(lowest);
    room >= needed && room <= size
}

#[cfg(target_os = "linux")]
fn own_stack() -> Option<(usize, usize)> {
    first_stack().or_else(asked_stack)
}

/// The stack of the process's first thread, where this is it. The C library would read it from `/proc/self/maps`, which takes
/// a twentieth of a short run. The kernel lets it grow down to its limit, from just above the name the program was run by;
/// below that it keeps 128 MiB free at least, so that a larger limit may be more than there is room for.
#[cfg(target_os = "linux")]
fn first_stack() -> Option<(usize, usize)> {
    const ROOM: u64 = 64 << 20;
    /// More than the name and what stands above it.
    const ABOVE: usize = 16 << 10;
    let is_first = rustix::thread::gettid() == rustix::process::getpid();
    let limit = getrlimit(Resource::Stack).current.filter(|limit| is_first && *limit <= ROOM)?;
    // SAFETY: it is asked for an address, and nothing is changed.
    let name = unsafe { libc::getauxval(libc::AT_EXECFN) };
    let (name, limit) = (usize::try_from(name).ok().filter(|name| *name != 0)?, usize::try_from(limit).ok()?);
    Some((name.checked_sub(limit)?.checked_add(ABOVE)?, name))
}

#[cfg(target_os = "linux")]
fn asked_stack() -> Option<(usize, usize)> {
    let mut attributes = std::mem::MaybeUninit::uninit();
    let (mut lowest, mut size) = (std::ptr::null_mut(), 0);
    // SAFETY: the attributes are filled in by the first call before the others use them, are destroyed once, and the
    // out pointers are of locals that outlive the calls.
    unsafe {
        if libc::pthread_getattr_np(libc::pthread_self(), attributes.as_mut_ptr()) != 0 {
            return None;
        }
        let told = libc::pthread_attr_getstack(attributes.as_ptr(), &raw mut lowest, &raw mut size) == 0;
        libc::pthread_attr_destroy(attributes.as_mut_ptr());
        told.then(|| (lowest.addr(), lowest.addr().saturating_add(size)))
    }
}

#[cfg(not(target_os = "linux"))]
fn own_stack() -> Option<(usize, usize)> {
    None
}
