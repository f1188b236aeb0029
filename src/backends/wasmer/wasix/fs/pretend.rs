//! Modes of the file system during a wrapped call of WASIX. They apply to the calling thread.

use std::cell::{Cell, RefCell};
use std::path::{Path, PathBuf};

thread_local! {
    /// Whether the next rename may only move a directory.
    static ONLY_DIRS: Cell<bool> = const { Cell::new(false) };
    /// Whether the file system pretends to remove files and to create links.
    static PRETENDS: Cell<bool> = const { Cell::new(false) };
    /// The path of the last such file or link.
    static PRETENDED: RefCell<Option<PathBuf>> = const { RefCell::new(None) };
}

/// Sets whether the next rename of this thread may only move a directory, because a path has a trailing slash. WASIX
/// removes the slash before it calls the file system.
pub(super) fn rename_only_dirs(only_dirs: bool) {
    ONLY_DIRS.set(only_dirs);
}

/// Returns whether this rename may only move a directory.
pub(super) fn takes_only_dirs() -> bool {
    ONLY_DIRS.take()
}

/// Makes a call during which removing a file or creating a link on this thread succeeds, but changes nothing. Returns its result,
/// and the path of the file or link. WASIX forgets a file that it removes.
pub(super) fn pretend<T>(call: impl FnOnce() -> T) -> (T, Option<PathBuf>) {
    struct Pretending;
    impl Drop for Pretending {
        fn drop(&mut self) {
            PRETENDS.set(false);
        }
    }
    PRETENDED.take();
    PRETENDS.set(true);
    let _pretending = Pretending;
    (call(), PRETENDED.take())
}

/// Returns whether to pretend that the file or link with this path was removed or created.
pub(super) fn is_pretended(path: &Path) -> bool {
    if PRETENDS.get() {
        PRETENDED.set(Some(Path::new("/").join(path)));
    }
    PRETENDS.get()
}
