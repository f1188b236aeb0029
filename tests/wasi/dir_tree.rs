//! Snapshots of directories on the host, to compare.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Describes every path below a directory, except `excluded`: its type, contents and permissions.
pub(crate) fn snapshot(root: &Path, excluded: &Path) -> BTreeMap<PathBuf, String> {
    let mut entries = BTreeMap::new();
    collect(root, excluded, &mut entries);
    entries
}

fn collect(dir: &Path, excluded: &Path, entries: &mut BTreeMap<PathBuf, String>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let metadata = fs::symlink_metadata(&path).unwrap();
        let contents = if metadata.is_symlink() {
            format!("link to {}", fs::read_link(&path).unwrap().display())
        } else if metadata.is_dir() {
            "directory".to_owned()
        } else {
            let bytes = fs::read(&path).unwrap();
            format!("file {:?} of {:?}", String::from_utf8_lossy(&bytes), metadata.modified().unwrap())
        };
        let description = format!("{contents}, {:?}", metadata.permissions());
        if path != excluded {
            if metadata.is_dir() {
                collect(&path, excluded, entries);
            }
            entries.insert(path, description);
        }
    }
}
