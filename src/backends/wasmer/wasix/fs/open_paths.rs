//! The guest paths of open files.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// The current guest path of each open file, as renames change it. WASIX removes an open file by its handle, so the path must
/// be known long after the file was opened.
#[derive(Debug, Default)]
pub(super) struct OpenPaths {
    next: u64,
    paths: HashMap<u64, PathBuf>,
}

/// An open file in [`OpenPaths`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OpenFileId(u64);

impl OpenPaths {
    pub(super) fn add(&mut self, path: PathBuf) -> OpenFileId {
        let id = self.next;
        self.next += 1;
        self.paths.insert(id, path);
        OpenFileId(id)
    }

    pub(super) fn get(&self, id: OpenFileId) -> Option<&Path> {
        self.paths.get(&id.0).map(PathBuf::as_path)
    }

    pub(super) fn remove(&mut self, id: OpenFileId) {
        self.paths.remove(&id.0);
    }

    /// Updates the paths after a rename. A file that was at `to` before keeps that path: WASIX then uses its handle for the
    /// renamed file, and refers to that path when it removes it.
    pub(super) fn rename(&mut self, from: &Path, to: &Path) {
        for path in self.paths.values_mut() {
            match path.strip_prefix(from) {
                Ok(rest) if rest.as_os_str().is_empty() => to.clone_into(path),
                Ok(rest) => *path = to.join(rest),
                Err(_) => {}
            }
        }
    }
}
