//! Stack space for guests: Wasmtime limits the stack that a guest uses, but does not allocate it.
#![cfg_attr(target_os = "linux", expect(unsafe_code, reason = "only libc knows the bounds of a thread's stack"))]

use std::cell::Cell;

#[cfg(target_os = "linux")]
use rustix::process::{Resource, getrlimit};

/// Stack for the host functions that a guest calls, beyond the guest's own.
const HOST_STACK: usize = 256 << 10;

thread_local! {
    /// The lowest address and the size of this thread's original stack.
    static THREAD_STACK: Cell<(usize, usize)> = const { Cell::new(NOT_QUERIED) };
    /// Whether this thread may run on a stack that neither this module nor `stacker` knows.
    static ON_FIBERS: Cell<bool> = const { Cell::new(false) };
}

const NOT_QUERIED: (usize, usize) = (usize::MAX, 0);
/// No address is within these bounds, except 0, which is never on a stack.
const UNKNOWN: (usize, usize) = (usize::MAX, 1);

/// Returns the stack that a call needs, in bytes, if the guest may use `max_guest_stack`.
pub(super) fn bytes_for_call(max_guest_stack: u64) -> usize {
    usize::try_from(max_guest_stack).unwrap_or(usize::MAX).saturating_add(HOST_STACK)
}

/// Runs `guest` on the current stack if it has `bytes` left, else on a new one.
pub(super) fn with_room<R>(bytes: usize, guest: impl FnOnce() -> R) -> R {
    if THREAD_STACK.get() == NOT_QUERIED {
        let bounds = thread_stack();
        THREAD_STACK.set(bounds.map_or(UNKNOWN, |(lowest, highest)| (lowest, highest.saturating_sub(lowest))));
    }
    if has_room(bytes) { guest() } else { maybe_grow(bytes, guest) }
}

/// Runs `guest` on a new stack, unless `stacker` knows that the current one has `bytes` left.
#[cold]
fn maybe_grow<R>(bytes: usize, guest: impl FnOnce() -> R) -> R {
    let size = bytes.saturating_add(HOST_STACK);
    if ON_FIBERS.get() {
        // The new stack is known.
        let _known = set_on_fibers(false);
        return stacker::grow(size, guest);
    }
    stacker::maybe_grow(bytes, size, guest)
}

/// Lets the engine run guest code on its own stacks on this thread, until the guard is dropped.
#[cfg(feature = "components")]
pub(super) fn on_fibers() -> OnFibers {
    set_on_fibers(true)
}

fn set_on_fibers(on_fibers: bool) -> OnFibers {
    OnFibers(ON_FIBERS.replace(on_fibers))
}

/// The value to restore.
pub(super) struct OnFibers(bool);

impl Drop for OnFibers {
    fn drop(&mut self) {
        ON_FIBERS.set(self.0);
    }
}

/// Returns whether the thread is known to run on its original stack with `bytes` left. That stack does not move, so its
/// bounds are only queried once; `stacker` alone would make a call 50 % slower.
#[inline]
pub(super) fn has_room(bytes: usize) -> bool {
    let marker = 0_u8;
    let current = std::ptr::from_ref(&marker).addr();
    let (lowest, size) = THREAD_STACK.get();
    // Below the stack, this wraps around to more than the size.
    let room = current.wrapping_sub(lowest);
    room >= bytes && room <= size
}

#[cfg(target_os = "linux")]
fn thread_stack() -> Option<(usize, usize)> {
    main_thread_stack().or_else(pthread_stack)
}

/// Returns the bounds of the main thread's stack, if this is the main thread. `pthread_getattr_np` would read
/// `/proc/self/maps`, which takes 5 % of a short run. The kernel lets this stack grow from just above the name of the
/// executed file down to the stack limit, and keeps at least 128 MiB free for it; so a larger limit is not trusted.
#[cfg(target_os = "linux")]
fn main_thread_stack() -> Option<(usize, usize)> {
    const MAX_TRUSTED_LIMIT: u64 = 64 << 20;
    /// An upper bound for the size of the name and everything above it.
    const MARGIN: usize = 16 << 10;
    let is_main = rustix::thread::gettid() == rustix::process::getpid();
    let limit = getrlimit(Resource::Stack).current.filter(|limit| is_main && *limit <= MAX_TRUSTED_LIMIT)?;
    // SAFETY: `getauxval` only reads the auxiliary vector.
    let name = unsafe { libc::getauxval(libc::AT_EXECFN) };
    let (name, limit) = (usize::try_from(name).ok().filter(|name| *name != 0)?, usize::try_from(limit).ok()?);
    Some((name.checked_sub(limit)?.checked_add(MARGIN)?, name))
}

#[cfg(target_os = "linux")]
fn pthread_stack() -> Option<(usize, usize)> {
    let mut attributes = std::mem::MaybeUninit::uninit();
    let (mut lowest, mut size) = (std::ptr::null_mut(), 0);
    // SAFETY: `pthread_getattr_np` initializes the attributes before anything else uses them, they are destroyed once, and
    // the out pointers point to locals.
    unsafe {
        if libc::pthread_getattr_np(libc::pthread_self(), attributes.as_mut_ptr()) != 0 {
            return None;
        }
        let is_known = libc::pthread_attr_getstack(attributes.as_ptr(), &raw mut lowest, &raw mut size) == 0;
        libc::pthread_attr_destroy(attributes.as_mut_ptr());
        is_known.then(|| (lowest.addr(), lowest.addr().saturating_add(size)))
    }
}

#[cfg(not(target_os = "linux"))]
fn thread_stack() -> Option<(usize, usize)> {
    None
}
