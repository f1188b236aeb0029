//! The guest paths of open files.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// The current guest path of each open file, as renames change it. WASIX removes an open file by its handle, so the path must
/// be known long after the file was opened.
#[derive(Debug, Default)]
pub(super) struct OpenPaths {
    next: u64,
    /// The paths by the ID of the open file.
    paths: HashMap<u64, PathBuf>,
}

impl OpenPaths {
    pub(super) fn add(&mut self, path: PathBuf) -> u64 {
        let id = self.next;
        self.next += 1;
        self.paths.insert(id, path);
        id
    }

    pub(super) fn get(&self, id: u64) -> Option<&Path> {
        self.paths.get(&id).map(PathBuf::as_path)
    }

    pub(super) fn remove(&mut self, id: u64) {
        self.paths.remove(&id);
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
