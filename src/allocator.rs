//! Memory for blocks so large that each is a mapping of its own: its pages are to be huge where the system has them for whoever
//! asks. A module of 69 MB compiles to 270 MB, which Wasmer copies three times to write them.
#![expect(unsafe_code, reason = "an allocator is; and the kernel is told about pages")]

use std::alloc::{GlobalAlloc, Layout, System};

/// From this many bytes on, the GNU C library makes a mapping for each block, unless there is room among what was freed before
/// (`mallopt(3)`, `M_MMAP_THRESHOLD`).
const OWN_MAPPING: usize = 32 << 20;

/// The system's allocator, with huge pages for what is large and sure to be filled.
struct Allocator;

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

// SAFETY: what the system's allocator gives is handed on as it is.
unsafe impl GlobalAlloc for Allocator {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise is the one that is asked for.
        with_huge_pages(unsafe { System.alloc(layout) }, layout.size())
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // What is to be zero may be used in a few places only, which small pages are better for.
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as above.
        with_huge_pages(unsafe { System.realloc(block, layout, size) }, size)
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(block, layout) }
    }
}

#[inline]
fn with_huge_pages(block: *mut u8, size: usize) -> *mut u8 {
    if size >= OWN_MAPPING && !block.is_null() {
        ask_for_huge_pages(block);
    }
    block
}

/// A mapping of its own is named whole, since what has two kinds of pages cannot be grown where it is.
#[cold]
fn ask_for_huge_pages(block: *mut u8) {
    // SAFETY: the block is one of the C library's.
    let usable = unsafe { libc::malloc_usable_size(block.cast()) };
    // SAFETY: it is asked about a number.
    let page = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096);
    let inside = block.addr() % page;
    // SAFETY: what is named are the pages that the block lies on. It is advice, which changes nothing that a program can see, on
    // pages that the C library shares out, too.
    unsafe { libc::madvise(block.wrapping_sub(inside).cast(), inside + usable, libc::MADV_HUGEPAGE) };
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// What the kernel says of the mapping that an address is in (`proc(5)`, `smaps`).
    fn flags_at(address: usize) -> Option<String> {
        let map = fs::read_to_string("/proc/self/smaps").unwrap();
        let mut inside = false;
        for line in map.lines() {
            let range = line.split_once(' ').and_then(|(range, _)| range.split_once('-'));
            if let Some((start, end)) = range {
                let [start, end] = [start, end].map(|bound| usize::from_str_radix(bound, 16).unwrap());
                inside = (start..end).contains(&address);
            } else if let (true, Some(flags)) = (inside, line.strip_prefix("VmFlags:")) {
                return Some(flags.to_owned());
            }
        }
        None
    }

    #[test]
    fn what_is_large_is_to_have_huge_pages_and_stays_what_it_was() {
        if !fs::exists("/sys/kernel/mm/transparent_hugepage").unwrap() {
            println!("skipped: the kernel has no huge pages for whoever asks");
            return;
        }
        let mut bytes = vec![7_u8; 1 << 20];
        assert!(!flags_at(bytes.as_ptr().addr()).unwrap().contains(" hg"), "small");
        for size in [OWN_MAPPING, 2 * OWN_MAPPING, 3 * OWN_MAPPING + 1] {
            bytes.reserve_exact(size - bytes.len());
            bytes.resize(size, 7);
            let first = bytes.as_ptr().addr();
            for address in [first, first + size / 2, first + size - 1] {
                assert!(flags_at(address).unwrap().contains(" hg"), "{size} bytes, at {}", address - first);
            }
            assert!(bytes == vec![7; size]);
        }
        bytes.truncate(5);
        bytes.shrink_to_fit();
        assert_eq!(bytes, [7; 5]);
    }
}
