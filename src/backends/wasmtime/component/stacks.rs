//! The stacks of tasks. They are outside the guest's memory, and a guest can start as many tasks as it likes, so an instance has a
//! limited number of them.
#![cfg_attr(
    unix,
    expect(unsafe_code, reason = "the engine's traits for stacks have unsafe methods, and `mmap` is unsafe")
)]

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many bytes the stacks of one instance may have together.
const MAX_BYTES: usize = 256 << 20;

/// The number of stacks that an instance may have even if they are larger.
const MIN_STACKS: usize = 4;

thread_local! {
    /// The stacks of the instance that runs on this thread.
    static CURRENT: RefCell<Option<Stacks>> = const { RefCell::new(None) };
}

/// The number of stacks that an instance has.
#[derive(Clone, Default)]
pub(super) struct Stacks(Arc<AtomicUsize>);

impl Stacks {
    /// Counts the stacks that the engine creates on this thread as the instance's, until the guard is dropped.
    pub(super) fn enter(&self) -> StacksGuard {
        StacksGuard(CURRENT.replace(Some(self.clone())))
    }
}

/// Restores the previous stacks when dropped.
pub(super) struct StacksGuard(Option<Stacks>);

impl Drop for StacksGuard {
    fn drop(&mut self) {
        CURRENT.set(self.0.take());
    }
}

/// Permission for one stack of an instance.
struct StackPermit(Stacks);

impl StackPermit {
    /// Counts a stack of `size` bytes, if the instance may have one more.
    fn take(size: usize) -> wasmtime::Result<Self> {
        let Some(stacks) = CURRENT.with_borrow(Clone::clone) else {
            wasmtime::bail!("no instance runs on this thread");
        };
        let most = (MAX_BYTES / size.max(1)).max(MIN_STACKS);
        // Only the thread that runs the instance adds stacks.
        if stacks.0.load(Ordering::Relaxed) >= most {
            wasmtime::bail!("too many tasks wait with separate stacks: the limit is {most}");
        }
        stacks.0.fetch_add(1, Ordering::Relaxed);
        Ok(Self(stacks))
    }
}

impl Drop for StackPermit {
    fn drop(&mut self) {
        (self.0).0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Makes the engine count stacks.
#[cfg(unix)]
pub(in super::super) fn configure(settings: &mut wasmtime::Config) {
    settings.with_host_stack(Arc::new(mapped::Creator));
}

/// The engine does not take stacks from the host.
#[cfg(not(unix))]
pub(in super::super) fn configure(_: &mut wasmtime::Config) {}

#[cfg(unix)]
mod mapped {
    use std::ffi::c_void;
    use std::ops::Range;
    use std::ptr::{NonNull, null_mut};

    use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap_anonymous, mprotect, munmap};
    use rustix::param::page_size;
    use wasmtime::{StackCreator, StackMemory};

    use super::StackPermit;

    /// Creates stacks as the engine does.
    pub(super) struct Creator;

    // SAFETY: each stack is a new mapping with a guard page, which only its owner unmaps.
    unsafe impl StackCreator for Creator {
        fn new_stack(&self, size: usize, _zeroed: bool) -> wasmtime::Result<Box<dyn StackMemory>> {
            let permit = StackPermit::take(size)?;
            Ok(Box::new(Mapped::new(size, permit)?))
        }
    }

    /// A mapping of a guard page and a stack above it.
    struct Mapped {
        lowest: NonNull<c_void>,
        /// The size of the mapping in bytes.
        size: usize,
        _permit: StackPermit,
    }

    impl Mapped {
        fn new(size: usize, permit: StackPermit) -> wasmtime::Result<Self> {
            let guard = page_size();
            let rounded = size.checked_next_multiple_of(guard).and_then(|size| size.checked_add(guard));
            let Some(size) = rounded else { wasmtime::bail!("the stack is too large") };
            // SAFETY: a new anonymous mapping overlaps no other memory.
            let lowest = unsafe { mmap_anonymous(null_mut(), size, ProtFlags::empty(), MapFlags::PRIVATE)? };
            let Some(lowest) = NonNull::new(lowest) else { wasmtime::bail!("the system maps address 0") };
            let mapped = Self { lowest, size, _permit: permit };
            // SAFETY: the range is in the mapping, which nothing uses yet.
            unsafe {
                mprotect(mapped.range_start().cast(), size - guard, MprotectFlags::READ | MprotectFlags::WRITE)?;
            }
            Ok(mapped)
        }

        fn range_start(&self) -> *mut u8 {
            self.lowest.as_ptr().cast::<u8>().wrapping_add(page_size())
        }
    }

    impl Drop for Mapped {
        fn drop(&mut self) {
            // SAFETY: the mapping is this value's, and the engine no longer runs code on a stack that it drops.
            // An error is not expected, and would only leave the memory in use.
            let _ = unsafe { munmap(self.lowest.as_ptr(), self.size) };
        }
    }

    // SAFETY: the mapping is not bound to a thread, and its memory is only used through the engine's raw pointers.
    unsafe impl Send for Mapped {}
    // SAFETY: as above.
    unsafe impl Sync for Mapped {}

    // SAFETY: the top and the range are those of the mapping, and the page below it is protected.
    unsafe impl StackMemory for Mapped {
        fn top(&self) -> *mut u8 {
            self.lowest.as_ptr().cast::<u8>().wrapping_add(self.size)
        }

        fn range(&self) -> Range<usize> {
            self.range_start().addr()..self.top().addr()
        }

        fn guard_range(&self) -> Range<*mut u8> {
            self.lowest.as_ptr().cast()..self.range_start()
        }
    }
}
