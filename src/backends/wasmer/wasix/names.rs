//! The names of open files.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// The guest's name of each open file, which changes where it, or a folder over it, is given another. WASIX removes an
/// open file by way of its handle, long after it was opened.
#[derive(Debug, Default)]
pub(super) struct Names {
    next: u64,
    names: HashMap<u64, PathBuf>,
}

/// An open file among [`Names`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NameId(u64);

impl Names {
    pub(super) fn add(&mut self, name: PathBuf) -> NameId {
        let id = self.next;
        self.next += 1;
        self.names.insert(id, name);
        NameId(id)
    }

    pub(super) fn get(&self, id: NameId) -> Option<&Path> {
        self.names.get(&id.0).map(PathBuf::as_path)
    }

    pub(super) fn remove(&mut self, id: NameId) {
        self.names.remove(&id.0);
    }

    /// Tells that what was `from` is `to`. What was `to` before keeps its name: WASIX goes on to use that file's handle
    /// for the new one, and means the name when it removes it.
    pub(super) fn renamed(&mut self, from: &Path, to: &Path) {
        for name in self.names.values_mut() {
            match name.strip_prefix(from) {
                Ok(rest) if rest.as_os_str().is_empty() => to.clone_into(name),
                Ok(rest) => *name = to.join(rest),
                Err(_) => {}
            }
        }
    }
}
