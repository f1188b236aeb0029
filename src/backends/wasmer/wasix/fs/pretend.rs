//! Modes of the file system during a wrapped WASIX call, for the calling thread.

use std::cell::{Cell, RefCell};
use std::path::{Path, PathBuf};
use std::thread::LocalKey;

/// A mode of the calling thread, on or off.
pub(super) type Mode = &'static LocalKey<Cell<bool>>;

thread_local! {
    /// Whether a rename may only move a directory.
    static ONLY_DIRS: Cell<bool> = const { Cell::new(false) };
    /// Whether the file system pretends to remove files and to create links.
    static PRETENDS: Cell<bool> = const { Cell::new(false) };
    /// The path of the last such file or link.
    static PRETENDED: RefCell<Option<PathBuf>> = const { RefCell::new(None) };
}

/// Makes a call with a mode on or off, and restores the mode, even if the call panics.
pub(super) fn with_mode<T>(mode: Mode, is_on: bool, call: impl FnOnce() -> T) -> T {
    struct Restore(Mode, bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            self.0.set(self.1);
        }
    }
    let _restore = Restore(mode, mode.replace(is_on));
    call()
}

/// Makes a call during which a rename on this thread may only move a directory, if a path has a trailing slash. WASIX removes
/// the slash before it calls the file system.
pub(super) fn rename_only_dirs<T>(only_dirs: bool, call: impl FnOnce() -> T) -> T {
    with_mode(&ONLY_DIRS, only_dirs, call)
}

/// Returns whether a rename may only move a directory.
pub(super) fn takes_only_dirs() -> bool {
    ONLY_DIRS.get()
}

/// Makes a call during which removing a file or creating a link on this thread succeeds, but changes nothing, so that WASIX
/// only updates its records. Returns the result of the call, and the path of the file or link.
pub(super) fn pretend<T>(call: impl FnOnce() -> T) -> (T, Option<PathBuf>) {
    PRETENDED.take();
    (with_mode(&PRETENDS, true, call), PRETENDED.take())
}

/// Returns whether to pretend that the file or link with this path was removed or created.
pub(super) fn is_pretended(path: &Path) -> bool {
    if PRETENDS.get() {
        PRETENDED.set(Some(Path::new("/").join(path)));
    }
    PRETENDS.get()
}
